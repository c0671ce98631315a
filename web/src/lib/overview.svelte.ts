// What the frame of the page says about the daemon: devices, the model, how many tasks there are in which state.

import { api, ask, problem, type Trouble } from './api'
import type { Device, Engine, Model, TaskCounts } from './schema'
import { onEvent } from './stream.svelte'

const state = $state({ known: false, counts: null as TaskCounts | null, trouble: null as Trouble | null })
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

/** Reads everything anew. */
export async function look(): Promise<void> {
  try {
    const [counts, what, files] = await Promise.all([ask(api.GET('/api/tasks/counts')), ask(api.GET('/api/devices')), ask(api.GET('/api/models'))])
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
