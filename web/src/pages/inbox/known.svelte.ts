// Which links have been transcribed already.

import { SvelteMap } from 'svelte/reactivity'
import { link as address, send } from '../../lib/api'

/** So many links are looked up; a list of hundreds is pasted to be done. */
const MOST = 20
/** How long nothing must have been typed. */
const PAUSE = 400

/** What has been looked up. */
export class Known {
  /** The newest completed task of each link that has one. */
  readonly tasks = new SvelteMap<string, number>()
  #asked = new Set<string>()
  // A daemon that cannot look links up says so once.
  #isAble = true

  /** Looks links up, soon; returns what calls it off. */
  ask(links: string[]): () => void {
    const fresh = links.slice(0, MOST).filter((link) => !this.#asked.has(link))
    const timer = setTimeout(() => void this.#look(fresh), PAUSE)
    return () => clearTimeout(timer)
  }

  async #look(links: string[]): Promise<void> {
    for (const link of links) {
      if (!this.#isAble) return
      this.#asked.add(link)
      const query = new URLSearchParams({ link, status: 'completed', limit: '1' })
      const answer = await send(new Request(address(`api/tasks?${query}`))).catch(() => null)
      if (answer?.status === 422) this.#isAble = false
      if (!answer?.ok) return
      const { items } = (await answer.json()) as { items: { id: number }[] }
      if (items[0]) this.tasks.set(link, items[0].id)
    }
  }
}
