// Files on their way. They go on while somebody looks at other pages, and over connections and daemons that come back.

import { api, ask, problem, Trouble } from './api'
import { keep, kept } from './keep'
import { randomKey } from './random'
import { begin, giveUp, offset, piece } from './tus'
import { asked } from './wishes.svelte'

/** `found`: it was broken off with the page; the same file again goes on with it. `full`: there is no room, it goes on when there is. */
export type UploadState = 'waiting' | 'sending' | 'paused' | 'lost' | 'full' | 'found' | 'failed' | 'done'
/** A file on its way. */
export class Upload {
  readonly key = randomKey()
  state: UploadState = $state('waiting')
  sent = $state(0)
  /** Bytes in a second, over the last seconds. */
  rate = $state(0)
  trouble: Trouble | null = $state.raw(null)
  task: number | null = $state(null)
  file: File | null = null
  id = ''
  stop: AbortController | null = null

  constructor(
    readonly name: string,
    readonly size: number,
    readonly changed: number,
    readonly wish: ReturnType<typeof asked>,
  ) {}
}

/** As it is kept for the next time that the page is opened. */
type Kept = { name: string; size: number; changed: number; id: string; wish: ReturnType<typeof asked>; key: string }
const AT_ONCE = 2

let list: Upload[] = $state.raw([])
/** Files on their way, the newest last. */
export const uploads = () => list

const remember = () => {
  const open = list.filter((upload) => upload.id && upload.state !== 'done' && upload.state !== 'failed')
  keep('uploads', open.length ? JSON.stringify(open.map(({ name, size, changed, id, wish, key }): Kept => ({ name, size, changed, id, wish, key }))) : null)
}

/** What was broken off when the page was closed. */
function recall(): void {
  try {
    const found = JSON.parse(kept('uploads') ?? '[]') as Kept[]
    list = found.map((one) => Object.assign(new Upload(one.name, one.size, one.changed, one.wish), { id: one.id, key: one.key, state: 'found' as const }))
  } catch {
    list = []
  }
}
recall()
for (const upload of uploads()) void measure(upload)

/** How much of what was broken off has arrived; one that the daemon has given up is forgotten. */
async function measure(upload: Upload): Promise<void> {
  try {
    const at = await offset(upload.id, new AbortController().signal)
    if (upload.state === 'found') upload.sent = at
  } catch (error) {
    if (upload.state === 'found' && [404, 410].includes(problem(error).status)) removeUpload(upload)
  }
}

/** Sends files, each of which becomes a task. One that was broken off before goes on. */
export function add(files: Iterable<File>): void {
  const fresh: Upload[] = []
  for (const file of files) {
    const found = list.find((one) => one.state === 'found' && one.name === file.name && one.size === file.size && one.changed === file.lastModified)
    const upload = found ?? new Upload(file.name, file.size, file.lastModified, asked())
    upload.file = file
    upload.state = file.size ? 'waiting' : 'failed'
    if (!file.size) upload.trouble = new Trouble('empty_file', '', '')
    if (!found) fresh.push(upload)
  }
  list = [...list, ...fresh]
  next()
}

/** Stops sending; what has arrived stays. */
export function pauseUpload(upload: Upload): void {
  upload.state = 'paused'
  upload.stop?.abort()
  next()
}

/** Goes on with what was paused, or tries once more. */
export function resumeUpload(upload: Upload): void {
  if (!upload.file) return
  upload.state = 'waiting'
  upload.trouble = null
  next()
}

/** Takes away all that nothing comes of any more. */
export function clearUploads(): void {
  for (const upload of list.filter(isOver)) removeUpload(upload)
}
/** Whether nothing more happens to an upload unless somebody does it. */
export const isOver = (upload: Upload) => upload.state === 'failed' || upload.state === 'found'

/** Takes an upload away, and what has arrived of it. */
export function removeUpload(upload: Upload): void {
  const isOpen = upload.id && upload.state !== 'done'
  upload.state = 'done'
  upload.stop?.abort()
  list = list.filter((one) => one !== upload)
  remember()
  if (isOpen) void giveUp(upload.id)
  next()
}

/** Whether closing the page would break something off. */
export const isSending = () => list.some((upload) => ['waiting', 'sending', 'lost', 'full'].includes(upload.state))

function next(): void {
  const busy = list.filter((upload) => ['sending', 'lost', 'full'].includes(upload.state)).length
  for (const upload of list.filter((one) => one.state === 'waiting').slice(0, Math.max(0, AT_ONCE - busy))) void run(upload)
}

async function run(upload: Upload): Promise<void> {
  const { file } = upload
  if (!file) return
  const stop = new AbortController()
  upload.stop = stop
  upload.state = 'sending'
  for (let pause = 500; !stop.signal.aborted; pause = Math.min(4000, pause * 2)) {
    try {
      await send(upload, file, stop.signal, () => (pause = 500))
      upload.state = 'done'
      break
    } catch (error) {
      if (stop.signal.aborted) return
      const trouble = problem(error)
      if (trouble.code === 'expired' || trouble.status === 404) upload.id = ''
      else if (!['offline', 'busy', 'conflict', 'too_many_requests', 'shutting_down', 'database_locked', 'insufficient_storage'].includes(trouble.code)) {
        upload.trouble = trouble
        upload.state = 'failed'
        break
      }
      upload.state = trouble.code === 'insufficient_storage' ? 'full' : 'lost'
      upload.rate = 0
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
  remember()
  next()
}

async function send(upload: Upload, file: File, stop: AbortSignal, moved: () => void): Promise<void> {
  // A folder, or a file that has gone since.
  await file.slice(0, 1).arrayBuffer().catch(() => {
    throw new Trouble('unreadable', '', '')
  })
  if (!upload.id) {
    upload.id = await begin(file, stop)
    remember()
  }
  let at = await offset(upload.id, stop)
  upload.state = 'sending'
  const speed = meter()
  while (at < file.size) {
    at = await piece(upload.id, file, at, stop, (bytes) => {
      upload.sent = bytes
      upload.rate = speed(bytes)
    })
    upload.sent = at
    moved()
  }
  // With a key of its own: an answer that was lost makes no second task.
  const task = await ask(
    api.POST('/api/tasks', { params: { header: { 'Idempotency-Key': `upload-${upload.key}` } }, body: { upload_id: upload.id, ...upload.wish } }),
  )
  upload.task = task.id
  // The list shows the task now.
  setTimeout(() => (list = list.filter((one) => one !== upload)), 4000)
}

/** How fast something grows, over the last three seconds. */
export function meter(now: () => number = () => performance.now()): (bytes: number) => number {
  let marks: [number, number][] = []
  return (bytes) => {
    const time = now()
    marks = [...marks.filter(([at]) => time - at < 3000), [time, bytes]]
    const [first, last] = [marks[0]!, marks[marks.length - 1]!]
    return last[0] - first[0] < 200 ? 0 : ((last[1] - first[1]) * 1000) / (last[0] - first[0])
  }
}
