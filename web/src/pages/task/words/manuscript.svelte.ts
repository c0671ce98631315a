// The transcript of a task while somebody reads and corrects it: what the daemon has, what is typed, and how the one becomes the other.

import { api, ask, problem, type Trouble } from '../../../lib/api'
import { keep, kept } from '../../../lib/keep'
import type { TranscriptRevision } from '../../../lib/schema'
import { compare, merged, type Stretch } from '../../../transcript/conflict'
import { pack, unpack } from '../../../transcript/draft'
import { History } from '../../../transcript/history'
import { correction, lines as read, same, type Line, type Transcript } from '../../../transcript/lines'
import type { Script } from '../../../transcript/script'

/** Where an edit stands. `offline`: the daemon does not answer, it is tried again. */
export type Saving = 'saved' | 'changed' | 'saving' | 'offline' | 'conflict' | 'refused'

/** Somebody else was faster: what both have made of the revision before. */
export type Conflict = { revision: string; theirs: readonly Line[]; stretches: Stretch[] }

type Revision = { transcript: Transcript; tag: string }

/** How long nothing is typed before it is saved. Each save makes a revision; the daemon thins them out. */
const rest = 2000
/** How often a lost daemon is tried. */
const retry = 2000

/** The number in a revision's tag. */
export const numberOf = (tag: string): number => Number(/\d+/.exec(tag)?.[0] ?? 1)

export class Manuscript {
  transcript: Transcript | null = $state.raw(null)
  /** What is shown and edited. */
  lines: readonly Line[] = $state.raw([])
  /** The tag of the revision that the edit stands on. */
  tag = $state('')
  saving: Saving = $state('saved')
  trouble: Trouble | null = $state.raw(null)
  conflict: Conflict | null = $state.raw(null)
  /** The edit came from this browser's copy, not from typing. */
  isRecovered = $state(false)
  canUndo = $state(false)
  canRedo = $state(false)
  script: Script | null = $state(null)
  #base: readonly Line[] = []
  #history = new History<readonly Line[]>([])
  #timers: Record<string, ReturnType<typeof setTimeout> | undefined> = {}
  #written: string | null = null
  #busy = false

  constructor(readonly id: number) {}

  get #name(): string {
    return `draft.${this.id}`
  }

  /** Reads a revision: the newest without a number, in the script it is shown in unless one is named. */
  async read(revision?: number | 'original', script: Script | null = null): Promise<Revision> {
    const query = { ...(revision ? { revision: String(revision) } : {}), ...(script ? { zh: script } : {}) }
    const call = api.GET('/api/tasks/{id}/transcript', { params: { path: { id: this.id }, query } })
    const { data, error, response } = await call.catch((thrown: unknown) => {
      throw problem(thrown)
    })
    if (!response.ok) throw problem(error, response)
    return { transcript: data as unknown as Transcript, tag: response.headers.get('etag') ?? '' }
  }

  /** The revisions that there are, the newest first. */
  async revisions(): Promise<TranscriptRevision[]> {
    return (await ask(api.GET('/api/tasks/{id}/transcript/revisions', { params: { path: { id: this.id } } }))).items
  }

  /** Shows the newest revision, in a script; what was typed and not saved comes back on top of it. */
  async load(script: Script | null = null): Promise<void> {
    try {
      const { transcript, tag } = await this.read(undefined, script)
      this.trouble = null
      this.script = script
      this.#show(transcript, tag)
      if (!script) await this.#recover()
    } catch (thrown) {
      this.trouble = problem(thrown)
    }
  }

  /** Reads again what somebody else may have changed, unless something is being edited here. */
  async refresh(): Promise<void> {
    if (this.saving !== 'saved' || !this.transcript || this.script) return
    const newest = await this.read().catch(() => null)
    if (newest && this.saving === 'saved' && numberOf(newest.tag) !== numberOf(this.tag)) this.#show(newest.transcript, newest.tag)
  }

  #show(transcript: Transcript, tag: string): void {
    this.transcript = transcript
    this.tag = tag
    this.#base = read(transcript)
    this.lines = this.#base
    this.#history = new History(this.#base)
    this.#changed()
    this.saving = 'saved'
  }

  async #recover(): Promise<void> {
    const text = kept(this.#name)
    const draft = unpack(text)
    if (!draft) return
    this.#written = text
    if (same(draft.lines, this.#base)) return this.#forget()
    if (numberOf(draft.revision) === numberOf(this.tag)) {
      this.isRecovered = true
      this.edit(draft.lines)
      return
    }
    const [theirs, tag] = [this.#base, this.tag]
    const before = await this.read(numberOf(draft.revision)).catch(() => null)
    this.#base = before ? read(before.transcript) : theirs
    this.tag = draft.revision
    this.isRecovered = true
    this.lines = draft.lines
    this.#history.push(draft.lines)
    this.#changed()
    this.#collide(theirs, tag)
  }

  /** Makes the lines other ones. Changes with the same `tag` that follow each other are one step of undo. */
  edit(lines: readonly Line[], tag = ''): void {
    if (lines === this.lines) return
    this.#history.push(lines, tag)
    this.#moved()
  }

  undo(): void {
    this.#history.undo()
    this.#moved()
  }

  redo(): void {
    this.#history.redo()
    this.#moved()
  }

  #moved(): void {
    this.lines = this.#history.state
    this.#changed()
    if (this.saving !== 'conflict' && this.saving !== 'saving') this.saving = 'changed'
    this.#later('draft', 300, () => this.keep())
    this.#later('save', rest, () => void this.save())
  }

  #changed(): void {
    this.canUndo = this.#history.canUndo
    this.canRedo = this.#history.canRedo
  }

  #later(name: string, ms: number, run: () => void): void {
    clearTimeout(this.#timers[name])
    this.#timers[name] = setTimeout(run, ms)
  }

  /** Writes this browser's copy of what the daemon does not have yet. */
  keep(): void {
    if (this.saving === 'saved') return
    this.#written = pack({ revision: this.tag, lines: this.lines, at: Date.now() })
    keep(this.#name, this.#written)
  }

  #forget(): void {
    // Another tab may have written its own meanwhile.
    if (kept(this.#name) === this.#written) keep(this.#name, null)
    this.#written = null
    this.isRecovered = false
  }

  /** Sends what was typed, now. Where somebody must sign in first, it goes on after that. */
  async save(): Promise<void> {
    clearTimeout(this.#timers.save)
    if (this.#busy || this.conflict || this.script || !this.transcript) return
    if (same(this.lines, this.#base)) {
      this.saving = 'saved'
      return this.#forget()
    }
    this.keep()
    this.#busy = true
    this.saving = 'saving'
    const sent = this.lines
    try {
      const params = { path: { id: this.id }, header: { 'If-Match': this.tag } }
      const { error, response } = await api.PUT('/api/tasks/{id}/transcript', { params, body: { segments: correction(sent) } })
      if (!response.ok) throw problem(error, response)
      this.tag = response.headers.get('etag') ?? this.tag
      this.#base = sent
      this.trouble = null
      this.saving = this.lines === sent ? 'saved' : 'changed'
      if (this.lines === sent) this.#forget()
      else this.#later('save', rest, () => void this.save())
    } catch (thrown) {
      await this.#failed(problem(thrown))
    } finally {
      this.#busy = false
    }
  }

  async #failed(trouble: Trouble): Promise<void> {
    if (trouble.code === 'conflict') {
      const newest = await this.read().catch(() => null)
      if (newest) return this.#collide(read(newest.transcript), newest.tag)
    }
    // A full disk and the like pass, too: the page says what it is, and tries on.
    const isAway = trouble.code === 'offline' || trouble.code === 'conflict' || trouble.status >= 500
    this.saving = isAway ? 'offline' : 'refused'
    this.trouble = trouble.code === 'offline' || trouble.code === 'conflict' ? null : trouble
    if (isAway) this.#later('save', retry, () => void this.save())
  }

  #collide(theirs: readonly Line[], tag: string): void {
    this.keep()
    this.saving = 'conflict'
    this.conflict = { revision: tag, theirs, stretches: compare(this.#base, this.lines, theirs) }
    this.keep()
  }

  /** Ends a conflict: each stretch that both have changed as it was chosen. */
  settle(chosen: (at: number) => 'mine' | 'theirs'): void {
    const conflict = this.conflict
    if (!conflict) return
    const lines = merged(conflict.stretches, chosen)
    this.tag = conflict.revision
    this.#base = conflict.theirs
    this.conflict = null
    this.saving = 'changed'
    this.edit(lines)
    void this.save()
  }

  /** Throws away what was typed since the last save. */
  discard(): void {
    this.edit(this.#base)
    this.#forget()
    this.saving = 'saved'
  }

  /** Ends what waits; this browser's copy is written. */
  stop(): void {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer)
    this.keep()
  }
}
