import { problem, type Trouble } from '../../lib/api'

type Page<T> = { items: T[]; next_cursor?: string | null }

/** A list that is read in parts. */
export class Parts<T> {
  items: T[] | undefined = $state.raw()
  next: string | null | undefined = $state()
  trouble: Trouble | null = $state.raw(null)

  /** `page` reads a part; `also` what is shown beside it. */
  constructor(
    private readonly page: (cursor?: string) => Promise<Page<T>>,
    private readonly also: (items: T[]) => Promise<unknown>,
  ) {}

  /** Reads the beginning anew, or the next part. */
  async read(more = false): Promise<void> {
    try {
      const { items, next_cursor } = await this.page(more ? (this.next ?? undefined) : undefined)
      this.items = more ? [...(this.items ?? []), ...items] : items
      this.next = next_cursor
      this.trouble = null
      await this.also(this.items)
    } catch (error) {
      this.trouble = problem(error)
    }
  }
}
