// What the frame of the page says about the daemon: devices, the model, how many tasks there are in which state.

import { api, ask, type Trouble, problem } from './api'
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

/** Reads how many tasks there are in each state: one answer where the daemon says so, else one for each state. */
async function count(): Promise<Counts> {
  const all = await ask(api.GET('/api/tasks', { params: { query: { limit: 1 } } }))
  const told = (all as { counts?: Record<string, number> }).counts
  if (told) return { all: all.total, ...Object.fromEntries(statuses.map((status) => [status, told[status] ?? 0])) } as Counts
  const parts = await Promise.all(
    statuses.map(async (status) => (await ask(api.GET('/api/tasks', { params: { query: { limit: 1, status } } }))).total),
  )
  return { all: all.total, ...Object.fromEntries(statuses.map((status, index) => [status, parts[index]!])) } as Counts
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
    if (event.kind === 'gap' || event.kind === 'status' || event.kind.startsWith('task')) soon(1000)
  })
  return () => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', seen)
    end()
  }
}
