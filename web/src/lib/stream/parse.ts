/** One event of the daemon. `kind`: `status`, `step`, `progress`, `segment`, `llm`, `delivery`, … ; `gap`: read everything anew. */
export type StreamEvent = { id: number | null; kind: string; data: EventData }
/** What every event's data has, besides what its kind brings (docs/api.md). */
export type EventData = { task_id?: number | null; created_at?: string; [name: string]: unknown }

/** Cuts a stream of server-sent events into events: give it text as it comes, it returns what is complete. */
export class Parser {
  #rest = ''
  #id: string | null = null
  #kind = ''
  #data: string[] = []

  /** More text. Lines may be cut anywhere. */
  push(text: string): StreamEvent[] {
    const done: StreamEvent[] = []
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line !== '') this.#field(line)
      else {
        const event = this.#end()
        if (event) done.push(event)
      }
    }
    return done
  }

  #field(line: string): void {
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'data') this.#data.push(value)
    else if (name === 'event') this.#kind = value
    else if (name === 'id') this.#id = value
  }

  #end(): StreamEvent | null {
    const [kind, text, id] = [this.#kind, this.#data.join('\n'), this.#id]
    this.#kind = ''
    this.#data = []
    this.#id = null
    if (!text) return null
    try {
      return { id: id ? Number(id) : null, kind, data: JSON.parse(text) as EventData }
    } catch {
      // Half a message: what it said is read with the next change.
      return null
    }
  }
}
