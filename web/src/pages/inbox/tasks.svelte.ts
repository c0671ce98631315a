// The list of tasks as the inbox shows it: pages come by scroll position, rows change by the daemon's events.

import { SvelteMap } from 'svelte/reactivity'
import { api, ask, problem, type Trouble } from '../../lib/api'
import type { StreamEvent } from '../../lib/stream.svelte'
import type { Filter } from '../../lib/trail'
import { asRow, heard, type Row } from './standing'

const PAGE = 200
/** The first page is small, so that something can be seen soon. */
const FIRST = 60
/** How long events are gathered before something is read anew. */
const SOON = 300

/** A list of tasks. */
export class TaskList {
  readonly rows = new SvelteMap<number, Row>()
  ids: number[] = $state.raw([])
  total = $state(0)
  loading = $state(true)
  trouble: Trouble | null = $state.raw(null)

  /** Is told how many rows have come in at the top, so that what somebody reads stays where it is. */
  grown: (rows: number) => void = () => undefined

  #name = ''
  #filter: Filter = {}
  #cursor: string | null = null
  #turn = 0
  #filling: Promise<void> | null = null
  #wanted = 0
  #seen: [number, number] = [0, 0]
  #stale = new Set<number>()
  #headStale = false
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Nobody looks: events are heard, nothing is read. */
  #away = false
  /** Something was missed meanwhile. */
  #missed = false

  /** Shows the tasks of a filter; as they were left, where `name` is that of the time before. */
  show(filter: Filter, name: string): void {
    const isKept = this.#name === name && !this.loading && !this.trouble && !this.#missed
    this.#name = name
    this.#away = false
    if (isKept) this.refresh()
    else void this.open(filter)
  }

  /** Shows the tasks of a filter. Rows of the filter before stay until the new ones are here. */
  async open(filter: Filter): Promise<void> {
    this.#filter = filter
    this.#missed = false
    const mine = ++this.#turn
    this.loading = true
    try {
      const page = await this.#page(FIRST)
      if (mine !== this.#turn) return
      this.#cursor = page.next_cursor ?? null
      this.rows.clear()
      for (const task of page.items) this.rows.set(task.id, task)
      this.ids = page.items.map((task) => task.id)
      this.total = page.total
      this.trouble = null
    } catch (error) {
      if (mine === this.#turn) this.trouble = problem(error)
    } finally {
      if (mine === this.#turn) this.loading = false
    }
    void this.#fill()
  }

  /** Which rows can be seen: what of them is missing or old is read. */
  want(from: number, to: number): void {
    this.#seen = [from, to]
    this.#wanted = to
    void this.#fill()
    if (this.#stale.size) this.#soon()
  }

  /** Reads the top of the list once more, soon. */
  refresh(): void {
    this.#headStale = true
    this.#soon()
  }

  /** Takes tasks out of the list. */
  remove(gone: Iterable<number>): void {
    const away = new Set(gone)
    const left = this.ids.filter((id) => !away.has(id))
    this.total -= this.ids.length - left.length
    this.ids = left
    for (const id of away) this.rows.delete(id)
  }

  /** Puts a row that has changed in its place. */
  put(task: Row): void {
    if (this.rows.has(task.id)) this.rows.set(task.id, task)
  }

  /** What an event of the daemon changes. */
  hear(event: StreamEvent): void {
    if (event.kind === 'gap') return this.#away ? void (this.#missed = true) : void this.open(this.#filter)
    const id = event.data.task_id
    if (typeof id !== 'number') return
    if (event.kind === 'deleted') return this.remove([id])
    const row = this.rows.get(id)
    if (!row) {
      if (event.kind === 'created' || event.kind === 'status') this.refresh()
      return
    }
    const changed = heard(row, event)
    if (changed) this.rows.set(id, changed)
    if (event.kind === 'status' || event.kind === 'step') {
      this.#stale.add(id)
      this.#soon()
    }
  }

  /** What the list is narrowed to. */
  get filter(): Filter {
    return this.#filter
  }
  /** Where the list goes on; null where it ends. */
  get next(): string | null {
    return this.#cursor
  }

  /** Reads so many rows from the top. */
  async upTo(rows: number): Promise<void> {
    this.#wanted = Math.max(this.#wanted, rows)
    await this.#filling
    await this.#fill()
  }

  /** Reads nothing until it is shown again. */
  leave(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#turn += 1
    this.#away = true
  }

  #page(limit: number, cursor?: string) {
    return ask(api.GET('/api/tasks', { params: { query: { ...this.#filter, limit, cursor } } }))
  }

  #fill(): Promise<void> {
    const mine = this.#turn
    this.#filling ??= this.#more().finally(() => {
      this.#filling = null
      if (mine !== this.#turn && this.#cursor && !this.#away) void this.#fill()
    })
    return this.#filling
  }

  async #more(): Promise<void> {
    const mine = this.#turn
    try {
      while (this.#cursor && this.ids.length < Math.min(this.total, this.#wanted + FIRST)) {
        const page = await this.#page(PAGE, this.#cursor)
        if (mine !== this.#turn) break
        const fresh = page.items.filter((task) => !this.rows.has(task.id))
        for (const task of fresh) this.rows.set(task.id, task)
        this.ids = [...this.ids, ...fresh.map((task) => task.id)]
        this.#cursor = page.next_cursor ?? null
        this.total = this.#cursor ? Math.max(page.total, this.ids.length) : this.ids.length
      }
    } catch (error) {
      if (mine === this.#turn) this.trouble = problem(error)
    }
  }

  #soon(): void {
    if (this.#away) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#freshen()
    }, SOON)
  }

  /** Reads the top of the list, or the rows that can be seen and have changed. */
  async #freshen(): Promise<void> {
    // What was asked for before would take the place of what is newer.
    if (this.loading) return this.#soon()
    const mine = this.#turn
    const seen = this.ids.slice(...this.#seen).filter((id) => this.#stale.has(id))
    try {
      if (this.#headStale || (seen.length > 3 && this.#seen[0] < FIRST)) {
        this.#headStale = false
        const limit = Math.min(PAGE, Math.max(FIRST, this.#seen[1]))
        // What changes while this is asked is asked for once more.
        for (const id of this.ids.slice(0, limit)) this.#stale.delete(id)
        const page = await this.#page(limit)
        if (mine !== this.#turn) return
        this.#top(page)
      }
      for (const id of seen.filter((id) => this.#stale.has(id))) {
        this.#stale.delete(id)
        const answer = await api.GET('/api/tasks/{id}', { params: { path: { id } } })
        if (mine !== this.#turn) return
        if (answer.data) this.#take(asRow(answer.data))
        else if (answer.response.status === 404) this.remove([id])
      }
      this.trouble = null
    } catch (error) {
      if (mine === this.#turn && !this.ids.length) this.trouble = problem(error)
    }
  }

  #take(task: Row): void {
    if (this.#filter.status && task.status !== this.#filter.status) this.remove([task.id])
    else this.rows.set(task.id, task)
  }

  /** Puts a new first page over the old one. */
  #top(page: { items: Row[]; next_cursor?: string | null; total: number }): void {
    const fresh = page.items.map((task) => task.id)
    for (const task of page.items) this.rows.set(task.id, task)
    const before = this.ids
    const old = new Set(before)
    const joint = fresh.findLast((id) => old.has(id))
    if (joint === undefined) {
      this.ids = fresh
      this.#cursor = page.next_cursor ?? null
    } else {
      const known = new Set(fresh)
      const rest = before.slice(before.indexOf(joint) + 1).filter((id) => !known.has(id))
      this.ids = [...fresh, ...rest]
      const left = new Set(this.ids)
      for (const id of before) if (!left.has(id)) this.rows.delete(id)
    }
    this.total = page.total
    this.trouble = null
    const first = before[0]
    const come = first === undefined ? 0 : this.ids.indexOf(first)
    if (come > 0) this.grown(come)
    void this.#fill()
  }
}
