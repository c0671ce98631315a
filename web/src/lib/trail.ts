// The tasks that somebody goes through one by one: those that the inbox showed when it was left, else all. The newest come first, and
// a newer task has a greater number.

import type { paths } from './schema'

/** What a list is narrowed to. */
export type Filter = Omit<NonNullable<paths['/api/tasks']['get']['parameters']['query']>, 'limit' | 'cursor'>
/** A part of the list: its numbers, and where it goes on; null where it ends. */
export type Part = { ids: readonly number[]; next: string | null }
/** Reads a part of a list, from its top or from where a part before ended. */
export type Read = (filter: Filter, next: string | null) => Promise<Part>

/** A list that is gone through. */
export class Trail {
  #filter: Filter = {}
  #ids: readonly number[] = []
  #next: string | null = null

  constructor(private readonly read: Read) {}

  /** The list as it was left. */
  leave(filter: Filter, part: Part): void {
    this.#filter = filter
    this.#ids = part.ids
    this.#next = part.next
  }

  /** The task that stands before (-1) or after (1) another one; null where there is none. */
  async beside(id: number, by: 1 | -1): Promise<number | null> {
    await this.#reach(id)
    // It was not come to from that list.
    if (!this.#ids.includes(id) && Object.keys(this.#filter).length) {
      this.leave({}, { ids: [], next: null })
      await this.#reach(id)
    }
    if (by > 0) {
      if (this.#ids[this.#ids.length - 1] === id && this.#next) await this.#more()
      return this.#ids.find((one) => one < id) ?? null
    }
    const before = () => this.#ids.findLast((one) => one > id) ?? null
    if (before() !== null) return before()
    // What has come in since then.
    await this.#top()
    await this.#reach(id)
    return before()
  }

  /** Reads until a task is among what is known. */
  async #reach(id: number): Promise<void> {
    if (!this.#ids.length || id > this.#ids[0]!) await this.#top()
    while (this.#next && this.#ids[this.#ids.length - 1]! > id) await this.#more()
  }

  async #top(): Promise<void> {
    this.leave(this.#filter, await this.read(this.#filter, null))
  }

  async #more(): Promise<void> {
    const part = await this.read(this.#filter, this.#next)
    this.leave(this.#filter, { ids: [...this.#ids, ...part.ids], next: part.next })
  }
}
