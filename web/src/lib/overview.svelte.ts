// What the frame of the page says about the daemon: devices, the model, how many tasks there are in which state.

import { api, ask, link, problem, send, type Trouble } from './api'
import type { Device, Engine, Model } from './schema'
import { onEvent } from './stream.svelte'

/** How many tasks there are. */
export type Counts = { all: number; queued: number; processing: number; completed: number; failed: number; cancelled: number }

const state = $state({ known: false, counts: null as Counts | null, trouble: null as Trouble | null })
let devices: Device[] = $state.raw([])
let engines: Engine[] = $state.raw([])
let models: Model[] = $state.raw([])

/** What is known of the daemon. `known`: it has answered. */
export const overview = {
  get known() { return state.known },
  get counts() { return state.counts },
  get trouble() { return state.trouble },
  get devices() { return devices },
  get engines() { return engines },
  get models() { return models },
  /** The model of tasks that name none. */
  get model() { return models.find((model) => model.default) ?? null },
}

const statuses = ['queued', 'processing', 'completed', 'failed', 'cancelled'] as const

// A daemon without the route for counts is asked for each state.
let isCounted = true

/** Reads how many tasks there are in each state. */
async function count(): Promise<Counts> {
  if (isCounted) {
    const answer = await send(new Request(link('api/tasks/counts')))
    if (answer.ok) {
      const { total, ...counts } = (await answer.json()) as Omit<Counts, 'all'> & { total: number }
      return { ...counts, all: total }
    }
    if (answer.status >= 500) throw problem(null, answer)
    isCounted = false
  }
  const total = async (status?: (typeof statuses)[number]) => (await ask(api.GET('/api/tasks', { params: { query: { limit: 1, status } } }))).total
  const [all, ...parts] = await Promise.all([total(), ...statuses.map(total)])
  return { all: all!, ...Object.fromEntries(statuses.map((status, index) => [status, parts[index]!])) } as Counts
}

/** Reads everything anew. */
export async function look(): Promise<void> {
  try {
    const [counts, what, files] = await Promise.all([count(), ask(api.GET('/api/devices')), ask(api.GET('/api/models'))])
    state.counts = counts
    devices = what.devices
    engines = what.engines
    models = files.items
    state.known = true
    state.trouble = null
  } catch (error) {
    state.trouble = problem(error)
  }
}

/** Looks now and after what changes it; the shell does it once. */
export function startOverview(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const soon = (ms: number) => {
    timer ??= setTimeout(async () => {
      timer = undefined
      if (!document.hidden) await look()
      // A download of a model tells no events.
      if (models.some((model) => model.pull?.state === 'running')) soon(2000)
    }, ms)
  }
  const seen = () => !document.hidden && soon(0)
  void look().then(() => models.some((model) => model.pull?.state === 'running') && soon(2000))
  document.addEventListener('visibilitychange', seen)
  const end = onEvent((event) => {
    if (event.kind === 'gap' || ['status', 'created', 'deleted'].includes(event.kind)) soon(1000)
  })
  return () => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', seen)
    end()
  }
}
