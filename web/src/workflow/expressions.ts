// What can be named in an expression, by what is typed of it already.

import { graph } from './graph'
import { field, words, type Node } from './json'
import { kindOf, type Language, type Schema } from './schema'

/** Something that can be typed at a caret. */
export interface Option {
  label: string
  kind: 'field' | 'value' | 'step' | 'name' | 'function'
  detail?: string
  info?: string
  /** What is put in. */
  insert: string
  /** Where the caret stands after it, from the beginning of what was put in; its end when left out. */
  caret?: number
}

/** Names that only the server knows. */
export interface Names {
  secrets: string[]
  workflows: string[]
}

const FUNCTIONS: Record<string, string> = {
  default: '(x, y)', coalesce: '(a, b, …)', has: '(path)', size: '(x)', contains: '(s, part)', startsWith: '(s, part)',
  endsWith: '(s, part)', matches: '(s, pattern)', lower: '(s)', upper: '(s)', trim: '(s)', split: "(s, ',')",
  join: "(list, '-')", truncate: '(s, n)', string: '(x)', int: '(x)', double: '(x)', json: '(s)',
}
const METHODS = ['map', 'filter', 'all', 'exists', 'exists_one']
const TASK = ['id', 'workflow', 'revision', 'started_at', 'error']
const ERROR = ['code', 'detail', 'hint']
const EVENT: Record<string, string[]> = {
  '': ['type', 'time', 'task', 'media', 'transcript'],
  task: ['id', 'workflow', 'link', 'params', 'status', 'error'],
  media: ['id', 'title', 'platform', 'duration_ms'],
  transcript: ['id', 'language', 'duration', 'model', 'text'],
}

/** The part of an expression before a caret that is one name with dots: `steps.text.out`. */
export function typed(before: string): string[] {
  return (/[A-Za-z_][\w-]*(?:\.[\w-]*)*$/.exec(before)?.[0] ?? '').split('.')
}

/** What can follow. `path` is the way in the definition to the text that the expression stands in. */
export function named(before: string, root: Node, path: string[], language: Language, names: Names): Option[] {
  const way = typed(before).slice(0, -1)
  const inTrigger = path[0] === 'triggers'
  if (!way.length) return roots(root, path, inTrigger)
  const [first, second, third] = way
  const plain = (list: string[]) => list.map((label) => option(label, 'name'))
  if (first === 'params' && way.length === 1) return params(root)
  if (first === 'secrets' && way.length === 1) return plain(names.secrets)
  if (first === 'task') return plain(way.length === 1 ? TASK : second === 'error' && way.length === 2 ? ERROR : [])
  if (first === 'event' && inTrigger) return plain(EVENT[way.slice(1).join('.')] ?? [])
  if (first !== 'steps') return []
  if (second === undefined) return steps(root, path)
  if (third === undefined) return plain(['output', 'status', 'error'])
  if (third === 'error') return plain(way.length === 3 ? ERROR : [])
  return third === 'output' ? outputs(root, second, way.slice(3), language) : []
}

function option(label: string, kind: Option['kind'], more: Partial<Option> = {}): Option {
  return { label, kind, insert: label, ...more }
}

function roots(root: Node, path: string[], inTrigger: boolean): Option[] {
  const spaces = inTrigger ? ['event'] : ['steps', 'params', 'task', 'secrets']
  const own = stepOf(root, path)
  const list = field(own, 'foreach')
  const items = list ? [words(list, 'as') ?? 'item', 'index'] : []
  const functions = Object.entries(FUNCTIONS).map(([name, detail]) =>
    option(name, 'function', { detail, insert: `${name}()`, caret: name.length + 1 }))
  return [...items.map((name) => option(name, 'name')), ...spaces.map((name) => option(name, 'name', { insert: `${name}.` })), ...functions]
}

function stepOf(root: Node, path: string[]): Node | undefined {
  const [group, name] = path
  return (group === 'steps' || group === 'on_error') && name !== undefined ? field(field(root, group), name) : undefined
}

function params(root: Node): Option[] {
  const members = field(root, 'params')?.members ?? []
  return members.map(({ name, value }) =>
    option(name, 'name', { detail: words(value, 'type'), info: words(value, 'description') }))
}

function steps(root: Node, path: string[]): Option[] {
  const own = path[0] === 'steps' || path[0] === 'on_error' ? path[1] : undefined
  const groups = path[0] === 'on_error' ? (['steps', 'on_error'] as const) : (['steps'] as const)
  const found = groups.flatMap((group) => graph(root, group).steps)
  return found.filter(({ name }) => name !== own).map(({ name, kind }) => option(name, 'step', { detail: kind, insert: `${name}.output` }))
}

function outputs(root: Node, name: string, way: string[], language: Language): Option[] {
  const step = field(field(root, 'steps'), name) ?? field(field(root, 'on_error'), name)
  const list = field(step, 'foreach')
  if (list) {
    const parts = words(list, 'on_item_error') === 'collect' && !way.length ? ['ok', 'failed'] : []
    return [...parts.map((label) => option(label, 'name')), ...methods()]
  }
  let schema: Schema | undefined = kindOf(language.kinds, words(step, 'use'))?.output
  for (const part of way) schema = schema?.properties?.[part]
  const fields = Object.entries(schema?.properties ?? {}).map(([label, { type, description }]) =>
    option(label, 'name', { detail: type === undefined ? undefined : [type].flat().join(' | '), info: description }))
  return fields.length || !way.length ? fields : methods()
}

function methods(): Option[] {
  return METHODS.map((name) => option(name, 'function', { detail: '(item, …)', insert: `${name}()`, caret: name.length + 1 }))
}
