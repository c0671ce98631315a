// A workflow and the text that somebody makes of it.

import { api, ask, problem, type Trouble } from '../../lib/api'
import { keep, kept } from '../../lib/keep'
import type { Workflow } from '../../lib/schema'
import { graph } from '../../workflow/graph'
import { field, parse, words } from '../../workflow/json'
import { isProblem, place, type Problem } from '../../workflow/problems'
import { pretty } from '../../workflow/pretty'

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
  /** The text that was loaded or saved last. */
  saved = $state('')
  /** The revision that `saved` is; 0 for a new workflow. */
  revision = $state(0)
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
  readonly valid = $derived(!this.checking && this.problems.every(({ severity }) => severity !== 'error'))
  /** The name that the definition gives itself. */
  readonly named = $derived(words(this.parsed.root, 'name') ?? '')
  readonly steps = $derived(graph(this.parsed.root))
  readonly handlers = $derived(graph(this.parsed.root, 'on_error'))

  constructor(readonly name: string, loaded?: Loaded) {
    const left = kept(`workflow.${name}`)
    this.take(loaded)
    if (left !== null && left !== this.saved) {
      this.type(left)
      this.restored = true
    }
  }

  /** Begins with what is stored. */
  take(loaded?: Loaded): void {
    this.saved = this.text = loaded?.text ?? BLANK
    this.revision = loaded?.revision ?? 0
    this.restored = false
    keep(`workflow.${this.name}`, null)
  }

  /** Takes what was typed. */
  type(text: string): void {
    this.text = text
    keep(`workflow.${this.name}`, text === this.saved ? null : text)
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
