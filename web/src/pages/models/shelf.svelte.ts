// Models, devices and nodes as they are now. Nothing of it tells events but the tasks that use it, so it is asked for: often while
// something is on its way, now and then otherwise.

import { api, ask, problem, type Trouble } from '../../lib/api'
import { look } from '../../lib/overview.svelte'
import type { Device, Engine, Model, Node } from '../../lib/schema'
import { onEvent } from '../../lib/stream.svelte'
import { arrived } from './model'

const BUSY = 500
const CALM = 5000

/** What the page shows. */
export class Shelf {
  models: Model[] = $state.raw([])
  devices: Device[] = $state.raw([])
  engines: Engine[] = $state.raw([])
  nodes: Node[] = $state.raw([])
  known = $state(false)
  /** Whether no model was here when the page was opened: a list in which somebody chooses keeps its place. */
  wasEmpty = $state(false)
  trouble: Trouble | null = $state.raw(null)
  #timer: ReturnType<typeof setTimeout> | undefined
  #over = false
  #turn = 0

  /** `told` hears of models that have just come. */
  constructor(private readonly told: (models: Model[]) => void) {}

  /** Reads everything anew. */
  async read(): Promise<void> {
    const mine = ++this.#turn
    try {
      const [files, what, nodes] = await Promise.all([ask(api.GET('/api/models')), ask(api.GET('/api/devices')), ask(api.GET('/api/nodes'))])
      if (mine !== this.#turn || this.#over) return
      const come = arrived(this.models, files.items)
      const isOther = this.known && JSON.stringify(this.models.map(short)) !== JSON.stringify(files.items.map(short))
      if (!this.known) this.wasEmpty = !files.items.some((model) => model.present)
      this.models = files.items
      this.devices = what.devices
      this.engines = what.engines
      this.nodes = nodes.items
      this.known = true
      this.trouble = null
      if (come.length) this.told(come)
      // The frame says which model there is.
      if (isOther) void look()
    } catch (error) {
      if (mine === this.#turn) this.trouble = problem(error)
    }
    this.#soon()
  }

  #soon(most = CALM): void {
    clearTimeout(this.#timer)
    if (this.#over) return
    const isMoving = this.models.some((model) => model.pull?.state === 'running') || this.engines.some((engine) => engine.state === 'loading')
    this.#timer = setTimeout(() => (document.hidden ? this.#soon() : void this.read()), isMoving ? BUSY : most)
  }

  /** Keeps it up to date; returns what ends it. */
  start(): () => void {
    void this.read()
    const end = onEvent((event) => {
      if (event.kind === 'status' || event.kind === 'gap') this.#soon(700)
    })
    return () => {
      this.#over = true
      clearTimeout(this.#timer)
      end()
    }
  }
}

const short = (model: Model) => [model.name, model.present, model.default, model.pull?.state, model.loaded_on]
