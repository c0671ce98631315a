// Which links have been transcribed already.

import { SvelteMap } from 'svelte/reactivity'
import { api, ask } from '../../lib/api'

/** So many links are looked up; a list of hundreds is pasted to be done. */
const MOST = 20
/** How long nothing must have been typed. */
const PAUSE = 400
/** When a link that was not done is looked up once more. */
const AGAIN = 5_000

/** What has been looked up. */
export class Known {
  /** The newest completed task of each link that has one. */
  readonly tasks = new SvelteMap<string, number>()
  #asked = new Map<string, number>()

  /** Looks links up, soon; returns what calls it off. */
  ask(links: string[]): () => void {
    const fresh = links.slice(0, MOST).filter((link) => !this.tasks.has(link) && Date.now() - (this.#asked.get(link) ?? 0) > AGAIN)
    const timer = setTimeout(() => void this.#look(fresh), PAUSE)
    return () => clearTimeout(timer)
  }

  async #look(links: string[]): Promise<void> {
    for (const link of links) {
      this.#asked.set(link, Date.now())
      // Without an answer it is done once more than it had to be.
      const answer = await ask(api.GET('/api/tasks', { params: { query: { link, status: 'completed', limit: 1 } } })).catch(() => null)
      const task = answer?.items[0]
      if (task) this.tasks.set(link, task.id)
    }
  }
}
