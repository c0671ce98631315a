// A daemon of its own for a test, a page with media for it, and a browser that complains.

import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { browse, browser, timed } from './browser.mjs'
import { site } from './site.mjs'

export { browse, browser, timed }
/** The repository. */
export const root = join(import.meta.dirname, '../../..')
const program = process.env.TRAWL ?? join(root, 'target/debug/trawl')

/** Waits until `check` returns something true, and returns it; `what` is said when it does not come. */
export async function until(what, check, seconds = 60) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const value = await check()
    if (value) return value
    if (Date.now() > end) throw new Error(`${what}: not after ${seconds} seconds`)
    await pause(30)
  }
}

/**
 * A daemon with the small model, empty folders and a free port, which ends with the test. `settings` are added to its configuration
 * (TOML lines); `models: false` leaves it without a model, `offline: false`
 * lets it download one (from `models.base_urls` of the test).
 *
 * `.url` its address · `.api(method, path, body?)` a call, answers JSON or throws · `.task(link, more?)` makes a task ·
 * `.done(id)` waits for its end · `.token(...scopes)` makes a token · `.stop()`, `.kill()`, `.start()`, `.restart()` – on the same port ·
 * `.site` the page with media · `.command(...args)` the program's own commands · `.folder` its folder
 */
export async function daemon(context, { settings = '', models = true, offline = true, base = '' } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'trawl-browser-'))
  const media = await site()
  const config = join(folder, 'trawl.toml')
  let bind = '127.0.0.1:0'
  let child = null
  let token = null
  const write = () =>
    writeFile(
      config,
      `server.bind = "${bind}"
server.base_path = "${base}"
paths.data = "${folder}/data"
paths.temp = "${folder}/temp"
paths.workflows = "${folder}/workflows"
models.dir = "${models ? join(root, 'models') : `${folder}/models`}"
${models ? 'models.default = "smoke"' : ''}
models.offline = ${offline}
net.allow_hosts = ["127.0.0.1"]
engine.devices = ["cpu"]
uploads.reserve_bytes = 0
queue.drain = "1s"
${settings}
`,
    )
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TRAWL__')))
  const command = (...args) =>
    new Promise((resolve, reject) => {
      const run = spawn(program, [...args, '--config', config], { env: environment })
      let [out, err] = ['', '']
      run.stdout.on('data', (text) => (out += text))
      run.stderr.on('data', (text) => (err += text))
      run.on('close', (code) => (code === 0 ? resolve(out.trim()) : reject(new Error(`trawl ${args.join(' ')}: ${err}`))))
    })

  const trawl = {
    folder,
    site: media,
    command,
    url: '',
    log: '',
    async start() {
      await write()
      await rm(join(folder, 'data/url'), { force: true })
      child = spawn(program, ['serve', '--config', config], { env: environment, stdio: ['ignore', 'ignore', 'pipe'] })
      const mine = child
      child.stderr.on('data', (text) => (trawl.log = (trawl.log + text).slice(-20_000)))
      const address = await until('the daemon listens', async () => {
        if (mine.exitCode !== null) throw new Error(`the daemon has ended: ${trawl.log}`)
        return readFile(join(folder, 'data/url'), 'utf8').catch(() => '')
      }, 60)
      const origin = new URL(address.trim()).origin
      bind = new URL(origin).host
      trawl.origin = origin
      trawl.url = `${origin}${base}/`
      await until('the daemon is ready', async () => (await fetch(`${trawl.url}ready`).catch(() => null))?.ok)
    },
    async end(signal) {
      const mine = child
      child = null
      if (!mine || mine.exitCode !== null) return
      const ended = new Promise((resolve) => mine.once('close', resolve))
      mine.kill(signal)
      await ended
    },
    stop: () => trawl.end('SIGTERM'),
    kill: () => trawl.end('SIGKILL'),
    async restart() {
      await trawl.kill()
      await trawl.start()
    },
    async api(method, path, body, headers = {}) {
      const answer = await fetch(new URL(path.replace(/^\//, ''), trawl.url), {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
      })
      const text = await answer.text()
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
      return answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text
    },
    task: async (link, more = {}) => (await trawl.api('POST', 'api/tasks', { link, ...more })).id,
    done: (id, seconds = 60) =>
      until(`task ${id} ends`, async () => {
        const task = await trawl.api('GET', `api/tasks/${id}?wait=5`)
        return ['completed', 'failed', 'cancelled'].includes(task.status) ? task : null
      }, seconds),
    /** A token for the tests themselves and for the sign-in; the first one is what `.api` uses from then on. */
    async token(...scopes) {
      const made = await command('token', 'create', '--name', `test-${scopes.join('-')}`, ...scopes.flatMap((scope) => ['--scope', scope]))
      const text = /trw_\S+/.exec(made)?.[0]
      token ??= text
      return text
    },
  }
  context.after(async () => {
    await trawl.end('SIGKILL')
    await media.close()
    await rm(folder, { recursive: true, force: true })
  })
  await trawl.start()
  return trawl
}
