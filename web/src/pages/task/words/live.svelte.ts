// What is being recognised right now: segments, and what language models write, as events bring them.

import { link, send } from '../../../lib/api'
import { Parser, type EventData } from '../../../lib/stream/parse'
import type { StreamEvent } from '../../../lib/stream.svelte'
import type { Line, Segment } from '../../../transcript/lines'
import { joined } from '../../../transcript/live'

/** How long a silent stream of old events is waited for, in milliseconds: what follows comes over the shared one. */
const silence = 1500

/** The words and answers of a task that runs. */
export class Live {
  lines: readonly Line[] = $state.raw([])
  /** What a language model has written so far, by step. */
  answers: Record<string, string> = $state.raw({})
  #seen = 0
  #attempts = new Map<string, number>()
  #stop = new AbortController()

  constructor(readonly id: number) {}

  /** Reads what happened before the page was opened. */
  async catchUp(): Promise<void> {
    const answer = await send(new Request(link(`api/tasks/${this.id}/events`), { signal: this.#stop.signal })).catch(() => null)
    if (!answer?.ok || !answer.body) return
    const [parser, reader] = [new Parser(), answer.body.pipeThrough(new TextDecoderStream()).getReader()]
    let timer: ReturnType<typeof setTimeout> | undefined
    const over = () => (timer = setTimeout(() => void reader.cancel().catch(() => undefined), silence))
    over()
    try {
      for (;;) {
        const { value, done } = await reader.read()
        if (done) return
        clearTimeout(timer)
        for (const event of parser.push(value)) this.heard(event)
        over()
      }
    } catch {
      // The page was left, or the connection broke: the shared stream goes on.
    } finally {
      clearTimeout(timer)
    }
  }

  /** What an event brings. An event that was heard before is passed over, so both streams may bring it. */
  heard({ id, kind, data }: StreamEvent): void {
    if (data.task_id !== this.id) return
    if (kind === 'segment') this.lines = joined(this.lines, data.segment as Segment)
    else if (kind === 'step') this.#restarted(data)
    else if (kind === 'llm' && id !== null && id > this.#seen) {
      const { step, text } = data as { step?: unknown; text?: unknown }
      if (typeof step === 'string' && typeof text === 'string') this.answers = { ...this.answers, [step]: (this.answers[step] ?? '') + text }
    }
    if (id !== null) this.#seen = Math.max(this.#seen, id)
  }

  /** A step that is tried again says everything again. */
  #restarted(data: EventData): void {
    const { step, attempt, state } = data as { step?: unknown; attempt?: unknown; state?: unknown }
    if (typeof step !== 'string' || typeof attempt !== 'number' || state !== 'running') return
    const before = this.#attempts.get(step)
    this.#attempts.set(step, attempt)
    if (before !== undefined && before < attempt) this.answers = { ...this.answers, [step]: '' }
  }

  /** Ends what is being read. */
  stop(): void {
    this.#stop.abort()
  }
}
