// A form made of a workflow's parameters, and the request that it stands for.

/** A parameter as a definition declares it. */
export interface Param {
  type: 'string' | 'url' | 'integer' | 'number' | 'boolean' | 'array' | 'object'
  default?: unknown
  enum?: unknown[]
  description?: string
  max_length?: number
}

/** One question of the form. */
export interface Question extends Param {
  name: string
  required: boolean
  control: 'text' | 'number' | 'check' | 'choice' | 'json'
}

/** What is in the form: texts as they are typed, marks of checkboxes; of a choice the place in `enum`. */
export type Answers = Record<string, string | boolean>

/** Why an answer will not do. */
export type Wrong = 'required' | 'integer' | 'number' | 'json' | 'array' | 'object' | 'long'

/** What the form comes to. */
export interface Reading {
  params: Record<string, unknown>
  wrong: Record<string, Wrong>
}

/** The questions of a definition, in its order. */
export function questions(definition: unknown): Question[] {
  const params = (definition as { params?: Record<string, Param> } | null)?.params
  if (typeof params !== 'object' || params === null) return []
  return Object.entries(params).map(([name, param]) => ({ ...param, name, required: !('default' in param), control: controlOf(param) }))
}

function controlOf({ type, enum: only }: Param): Question['control'] {
  if (only?.length) return 'choice'
  if (type === 'boolean') return 'check'
  if (type === 'integer' || type === 'number') return 'number'
  return type === 'array' || type === 'object' ? 'json' : 'text'
}

/** The form as it is at first, or with the parameters of a task, a schedule or a source. */
export function answers(list: Question[], given: Record<string, unknown> = {}): Answers {
  return Object.fromEntries(list.map((question) => [question.name, answer(question, given[question.name] ?? question.default)]))
}

function answer({ control, enum: only }: Question, value: unknown): string | boolean {
  if (control === 'check') return value === true
  if (control === 'choice') {
    const place = only!.findIndex((one) => JSON.stringify(one) === JSON.stringify(value))
    return place < 0 ? '' : String(place)
  }
  if (value === undefined || value === null) return ''
  return control === 'json' ? JSON.stringify(value, null, 2) : String(value)
}

/** Reads the form. What says the same as the default, or is empty where it may be, is left out. */
export function read(list: Question[], form: Answers): Reading {
  const reading: Reading = { params: {}, wrong: {} }
  for (const question of list) {
    const { name } = question
    const found = valueOf(question, form[name] ?? '')
    if ('wrong' in found) reading.wrong[name] = found.wrong
    else if (found.value !== undefined && !isDefault(question, found.value)) reading.params[name] = found.value
  }
  return reading
}

function isDefault({ required, default: usual }: Question, value: unknown): boolean {
  return !required && JSON.stringify(usual) === JSON.stringify(value)
}

type Found = { value: unknown } | { wrong: Wrong }

function valueOf(question: Question, given: string | boolean): Found {
  if (typeof given === 'boolean') return { value: given }
  const text = question.control === 'text' ? given : given.trim()
  if (question.control === 'choice') return text === '' ? empty(question) : { value: question.enum![Number(text)] }
  if (question.control === 'text') return written(question, text)
  if (text === '') return empty(question)
  if (question.control === 'number') return numeric(question, text)
  return structure(question, text)
}

function empty({ required }: Question): Found {
  return required ? { wrong: 'required' } : { value: undefined }
}

// An empty text is an answer where the default says something; a link without anything is none.
function written(question: Question, text: string): Found {
  const value = question.type === 'url' ? text.trim() : text
  if (value === '' && question.required) return { wrong: 'required' }
  // Lengths are counted in characters, not in halves of them.
  if (question.max_length !== undefined && [...value].length > question.max_length) return { wrong: 'long' }
  return { value }
}

function numeric({ type }: Question, text: string): Found {
  const isWhole = /^-?\d+$/.test(text)
  if (type === 'integer') return isWhole && Number.isSafeInteger(Number(text)) ? { value: Number(text) } : { wrong: 'integer' }
  return Number.isFinite(Number(text)) ? { value: Number(text) } : { wrong: 'number' }
}

function structure({ type }: Question, text: string): Found {
  try {
    const value: unknown = JSON.parse(text)
    const fits = type === 'array' ? Array.isArray(value) : typeof value === 'object' && value !== null && !Array.isArray(value)
    return fits ? { value } : { wrong: type as Wrong }
  } catch {
    return { wrong: 'json' }
  }
}

/** The body of `POST /api/tasks`. */
export function body(workflow: string, params: Record<string, unknown>, priority = 'normal'): Record<string, unknown> {
  return { workflow, ...(Object.keys(params).length && { params }), ...(priority !== 'normal' && { priority }) }
}

/** The same request for a shell. `token` says whether the daemon asks for one. */
export function curl(address: string, request: Record<string, unknown>, token: boolean): string {
  const head = token ? ` -H "Authorization: Bearer $TRAWL_TOKEN"` : ''
  return `curl -s ${quoted(address)}${head} --json ${quoted(JSON.stringify(request))}`
}

function quoted(text: string): string {
  return /^[\w:/.@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
