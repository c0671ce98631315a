// What stands in the box of the inbox, and what became of what was sent. It outlives the page that shows it, and a reload.

import { api, ask, problem, type Trouble } from '../../lib/api'
import { maybe, t } from '../../lib/i18n.svelte'
import { keep, kept } from '../../lib/keep'
import { randomKey } from '../../lib/random'
import { say } from '../../lib/say.svelte'
import type { Task } from '../../lib/schema'
import type { asked } from '../../lib/wishes.svelte'
import { split } from './share'

/** Lines that were refused for the same reason. */
export type Refused = { reason: string; hint: string; lines: string[] }
/** What is sent: one try more with the same key makes nothing twice. */
type Wish = { sent: string; with: ReturnType<typeof asked>; key: string }

class Box {
  #text = $state(kept('paste') ?? '')
  /** How many requests are on their way. */
  sending = $state(0)
  refused: Refused[] = $state.raw([])
  trouble: Trouble | null = $state.raw(null)
  /** What the daemon did not answer to: it is sent again by itself, as long as nobody changes it. */
  waits: Wish | null = $state.raw(null)
  /** Is told what was made. */
  added: (tasks: Task[]) => void = () => undefined

  get text(): string {
    return this.#text
  }
  set text(words: string) {
    this.#text = words
    keep('paste', words || null)
    // Reasons of lines that are not there any more concern nobody.
    if (!words.trim() && !this.sending) this.refused = []
    if (this.waits && words !== this.waits.sent) this.#forget()
  }

  /** Sends lines with links: they leave the box, and what is refused comes back into it. */
  async send(sent: string, wish: Wish['with']): Promise<void> {
    this.text = ''
    await this.#try({ sent, with: wish, key: randomKey() })
  }

  /** Sends again what the daemon did not answer to. */
  async resume(): Promise<void> {
    if (this.waits && !this.sending) await this.#try(this.waits)
  }

  /** Makes a task that needs no link. */
  async alone(wish: Wish['with']): Promise<void> {
    await this.#during(async () => {
      const task = await ask(api.POST('/api/tasks', { params: { header: { 'Idempotency-Key': randomKey() } }, body: wish }))
      this.#tell([task])
    })
  }

  async #try(wish: Wish): Promise<void> {
    const isAgain = this.waits === wish
    const isDone = await this.#during(async () => {
      const call = api.POST('/api/tasks/batch', { params: { header: { 'Idempotency-Key': wish.key } }, body: { text: wish.sent, ...wish.with } })
      const answer = await ask(call)
      const { left } = split(wish.sent, answer.rejected.map((line) => line.line))
      if (isAgain && this.text === wish.sent) this.text = ''
      this.#refuse(answer.rejected.map(({ error }, index) => ({ error, line: left[index]! })))
      if (left.length) this.#back(left.join('\n'))
      this.#tell(answer.accepted)
    })
    if (isDone) return
    if (!isAgain) this.#back(wish.sent)
    if (this.trouble?.code === 'offline' && this.text === wish.sent) this.waits = wish
  }

  /** Whether it could be done; otherwise `trouble` says why not. */
  async #during(work: () => Promise<void>): Promise<boolean> {
    this.sending += 1
    try {
      await work()
      this.#forget()
      return true
    } catch (error) {
      this.refused = []
      this.waits = null
      this.trouble = problem(error)
      return false
    } finally {
      this.sending -= 1
    }
  }

  #refuse(rejected: { error: { code: string; detail: string; hint: string }; line: string }[]): void {
    const groups = new Map<string, Refused>()
    for (const { error, line } of rejected) {
      const [reason, hint] = [maybe(`error.${error.code}`, error.detail), maybe(`hint.${error.code}`, error.hint)]
      const group = groups.get(reason + hint) ?? { reason, hint, lines: [] }
      groups.set(reason + hint, group)
      group.lines.push(line)
    }
    this.refused = [...groups.values()]
  }

  #tell(tasks: Task[]): void {
    say(t('inbox.added', { n: tasks.length }))
    this.added(tasks)
  }
  #forget(): void {
    this.trouble = null
    this.waits = null
  }
  /** Before what has been typed meanwhile. */
  #back(words: string): void {
    this.text = this.text ? `${words}\n${this.text}` : words
  }
}

/** The box. */
export const box = new Box()
