// Which links have been through the chosen workflow already.

import { SvelteMap } from 'svelte/reactivity'
import { api, ask } from '../../lib/api'

/** So many links are looked up; a list of hundreds is pasted to be done. */
const MOST = 20
/** How long nothing must have been typed. */
const PAUSE = 400
/** When a link that was not done is looked up once more. */
const AGAIN = 5_000

/** What would be done with a link: nothing else counts as done. `params` with their defaults. */
export interface Use {
  workflow: string
  params: Record<string, unknown>
}

/** What has been looked up. */
export class Known {
  #tasks = new SvelteMap<string, number>()
  #asked = new Map<string, number>()

  /** The newest completed task of a link that did the same with it. */
  taskOf(link: string, use: Use): number | undefined {
    return this.#tasks.get(keyOf(link, use))
  }

  /** Looks links up, soon; returns what calls it off. */
  ask(links: string[], use: Use): () => void {
    const open = links.slice(0, MOST).filter((link) => !this.#tasks.has(keyOf(link, use)))
    const isFresh = (link: string) => Date.now() - (this.#asked.get(keyOf(link, use)) ?? 0) > AGAIN
    // What was not done a moment ago may be done in another one.
    const timers = [
      setTimeout(() => void this.#look(open.filter(isFresh), use), PAUSE),
      setTimeout(() => void this.#look(open.filter(isFresh), use), AGAIN + PAUSE),
    ]
    return () => timers.forEach(clearTimeout)
  }

  async #look(links: string[], use: Use): Promise<void> {
    for (const link of links) {
      this.#asked.set(keyOf(link, use), Date.now())
      // Without an answer it is done once more than it had to be.
      const query = { link, status: 'completed', workflow: use.workflow, limit: 10 } as const
      const answer = await ask(api.GET('/api/tasks', { params: { query } })).catch(() => null)
      const task = answer?.items.find(({ params }) => sorted(without(params)) === sorted(use.params))
      if (task) this.#tasks.set(keyOf(link, use), task.id)
    }
  }
}

function keyOf(link: string, { workflow, params }: Use): string {
  return `${workflow} ${sorted(params)} ${link}`
}

function without({ link: _, ...params }: Record<string, unknown>): Record<string, unknown> {
  return params
}

function sorted(params: Record<string, unknown>): string {
  return JSON.stringify(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1)))
}
