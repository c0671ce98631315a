// A workflow and the text that somebody makes of it.

import { api, ask, problem, type Trouble } from '../../lib/api'
import type { Workflow } from '../../lib/schema'
import { graph } from '../../workflow/graph'
import { field, parse, words } from '../../workflow/json'
import { isProblem, place, type Problem } from '../../workflow/problems'
import { pretty } from '../../workflow/pretty'
import { leave, left } from './drafts'

/** The name in the address under which a new workflow is written; no workflow can have it. */
export const NEW = '+new'

const BLANK = `{
  "dsl": 1,
  "name": "my-workflow",
  "title": "",
  "params": {
    "link": { "type": "url", "description": "" }
  },
  "steps": {
    "source": { "use": "resolve", "with": { "link": "\${params.link}" } },
    "media": { "use": "download", "with": { "from": "\${steps.source.output}" } },
    "text": { "use": "transcribe", "with": { "media": "\${steps.media.output}" } }
  },
  "output": { "text": "\${steps.text.output.text}" }
}
`

/** A revision with its definition as a text: numbers stay as they were written. */
export interface Loaded extends Workflow {
  text: string
}

/** What an editor needs to know of a revision. */
export type Stored = Pick<Loaded, 'text' | 'revision'>

/** Reads the newest revision of a workflow, or the one that is asked for. */
export async function load(name: string, revision?: number): Promise<Loaded> {
  const call = revision === undefined
    ? api.GET('/api/workflows/{name}', { params: { path: { name } }, parseAs: 'text' })
    : api.GET('/api/workflows/{name}/revisions/{revision}', { params: { path: { name, revision } }, parseAs: 'text' })
  const answer = await ask(call as Promise<{ data?: string; error?: unknown; response: Response }>)
  const definition = field(parse(answer).root, 'definition')
  return { ...(JSON.parse(answer) as Workflow), text: pretty(definition ? answer.slice(definition.from, definition.to) : '{}') }
}

/** Sends a text that is JSON already. */
const asIs = { bodySerializer: (body: unknown) => body as string, headers: { 'content-type': 'application/json' } }

/** Everything that is wrong with a definition, in the server's words. */
export async function check(text: string, signal: AbortSignal): Promise<Problem[]> {
  const { problems } = await ask(api.POST('/api/workflows/validate', { body: text as never, ...asIs, signal }))
  return problems.filter(isProblem)
}

/** Stores a definition: as a new workflow, or as the next revision of one. */
export async function store(text: string, name: string | null): Promise<Workflow> {
  if (name === null) return ask(api.POST('/api/workflows', { body: text as never, ...asIs }))
  return ask(api.PUT('/api/workflows/{name}', { params: { path: { name } }, body: text as never, ...asIs }))
}

/** A definition being edited. What is not saved stays in this browser until it is, or is thrown away. */
export class Draft {
  /** The text as it is typed. */
  text = $state('')
  /** The newest text that is known to be stored. */
  saved = $state('')
  /** The revision that `saved` is; 0 for a new workflow. */
  revision = $state(0)
  /** The revision that the text was made of: an older one, where somebody has saved meanwhile. */
  base = $state(0)
  /** Whether it goes on with what was left behind unsaved. */
  restored = $state(false)
  private problemsOfServer: Problem[] = $state.raw([])
  /** The text that `problems` speaks of. */
  private checked: string | null = $state(null)
  /** Why the server could not be asked. */
  trouble: Trouble | null = $state.raw(null)

  /** The text as far as it can be understood. */
  readonly parsed = $derived(parse(this.text))
  readonly problems = $derived(place(this.text, this.parsed.root, this.problemsOfServer))
  readonly checking = $derived(this.checked !== this.text)
  readonly changed = $derived(this.text !== this.saved)
  /** Whether somebody has saved since the text was begun. */
  readonly isBehind = $derived(this.changed && this.base !== this.revision)
  readonly valid = $derived(!this.checking && this.problems.every(({ severity }) => severity !== 'error'))
  /** The name that the definition gives itself. */
  readonly named = $derived(words(this.parsed.root, 'name') ?? '')
  readonly steps = $derived(graph(this.parsed.root))
  readonly handlers = $derived(graph(this.parsed.root, 'on_error'))

  constructor(readonly name: string, loaded?: Loaded) {
    const before = left(name)
    this.begin(loaded)
    if (before?.text === this.saved) leave(name, null)
    else if (before) {
      this.base = before.base ?? this.revision
      this.type(before.text)
      this.restored = true
    }
  }

  /** Begins with what is stored; what was typed is given up. */
  take(loaded?: Stored): void {
    this.begin(loaded)
    leave(this.name, null)
  }

  /** Learns what is stored now. A text that nobody has changed follows it; another one stays as it is typed. */
  meet(newest: Stored): void {
    if (newest.revision === this.revision) return
    if (!this.changed) return this.begin(newest)
    this.saved = newest.text
    this.revision = newest.revision
    if (!this.changed) this.take(newest)
  }

  /** Knows what has been stored of it. What was typed while it was being saved stays a change. */
  stored(text: string, revision: number): void {
    this.saved = text
    this.revision = this.base = revision
    this.restored = false
    this.type(this.text)
  }

  /** Takes what was typed. */
  type(text: string): void {
    this.text = text
    this.hold()
  }

  /** Keeps what is not saved. */
  hold(): void {
    leave(this.name, this.changed ? { text: this.text, base: this.base } : null)
  }

  private begin(loaded?: Stored): void {
    this.saved = this.text = loaded?.text ?? BLANK
    this.revision = this.base = loaded?.revision ?? 0
    this.restored = false
  }

  /** Asks the server about the text; an answer that comes when there is another text already is not used. */
  async check(signal: AbortSignal): Promise<void> {
    const text = this.text
    try {
      const problems = await check(text, signal)
      if (signal.aborted) return
      this.problemsOfServer = problems
      this.checked = text
      this.trouble = null
    } catch (error) {
      if (!signal.aborted) this.trouble = problem(error)
    }
  }
}
