import { Parser, type StreamEvent } from './parse'

/** `lost`: no answer, it tries again; `refused`: somebody must sign in first. */
export type Connection = 'connecting' | 'live' | 'lost' | 'refused'

/** How long a silent connection is believed: the daemon says every 15 seconds that it is there. */
const SILENCE = 40_000
/** The longest pause between two tries. */
const PAUSE = 2_000

/**
 * One connection to the daemon's events that comes back by itself. EventSource is of no use here: it gives up for ever when a proxy
 * answers 502 while the daemon restarts.
 */
export class Feed {
  #last: number | null = null
  #stop: AbortController | null = null
  #wake: (() => void) | null = null

  constructor(
    private readonly address: string,
    private readonly told: (events: StreamEvent[]) => void,
    private readonly changed: (connection: Connection) => void,
  ) {}

  /** The number of the last event, null before the first. */
  get last(): number | null {
    return this.#last
  }

  /** Connects, and again after each end, until {@link stop}. */
  start(): void {
    if (this.#stop) return
    const stop = new AbortController()
    this.#stop = stop
    void this.#run(stop.signal)
  }

  /** Ends the connection; what comes meanwhile is read at the next start. */
  stop(): void {
    this.#stop?.abort()
    this.#stop = null
    this.again()
  }

  /** Tries at once when it waits for the next try. */
  again(): void {
    this.#wake?.()
  }

  async #run(stopped: AbortSignal): Promise<void> {
    let pause = 200
    while (!stopped.aborted) {
      const end = await this.#connect(stopped, () => (pause = 200))
      if (stopped.aborted) return
      this.changed(end)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, end === 'refused' ? 3_600_000 : pause)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      this.#wake = null
      pause = Math.min(PAUSE, pause * 2)
    }
  }

  async #connect(stopped: AbortSignal, opened: () => void): Promise<'lost' | 'refused'> {
    const silent = new AbortController()
    let watch = setTimeout(() => silent.abort(), SILENCE)
    try {
      const answer = await fetch(this.address, {
        headers: { accept: 'text/event-stream', ...(this.#last === null ? {} : { 'last-event-id': String(this.#last) }) },
        signal: AbortSignal.any([stopped, silent.signal]),
        cache: 'no-store',
      })
      if (answer.status === 401 || answer.status === 403) return 'refused'
      if (!answer.ok || !answer.body || !answer.headers.get('content-type')?.startsWith('text/event-stream')) return 'lost'
      opened()
      this.changed('live')
      // Nobody can say what happened before the first event that is heard.
      if (this.#last === null) this.told([{ id: null, kind: 'gap', data: {} }])
      const parser = new Parser()
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { value, done } = await reader.read()
        if (done) return 'lost'
        clearTimeout(watch)
        watch = setTimeout(() => silent.abort(), SILENCE)
        const events = parser.push(value)
        for (const event of events) if (event.id !== null) this.#last = event.id
        if (events.length) this.told(events)
      }
    } catch {
      return 'lost'
    } finally {
      clearTimeout(watch)
    }
  }
}
