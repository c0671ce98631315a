// What can be typed at a caret: fields and values by the schema, names in expressions.

import { named, type Names, type Option } from './expressions'
import { graph } from './graph'
import { parse, type Node } from './json'
import { placeAt, type Place } from './pointers'
import { pieces } from './references'
import { schemasAt, typesOf, valuesOf, type Language, type Schema } from './schema'

/** What can be typed, and what of the text it takes the place of. */
export interface Completion {
  from: number
  to: number
  options: Option[]
}

/** What can be typed at an offset; undefined where anything may stand. */
export function complete(text: string, offset: number, language: Language, names: Names): Completion | undefined {
  const { root } = parse(text)
  const place = placeAt(root, offset)
  const found = place.key ? keys(place, root, language)
    : place.node.kind === 'object' ? fresh(text, offset, place, root, language)
      : place.node.kind === 'string' ? inString(text, offset, place, root, language, names)
        : value(text, offset, place, root, language, names)
  return found?.options.length ? found : undefined
}

function keys({ path, node, key }: Place, root: Node, language: Language): Completion {
  const isAlone = key!.value.kind === 'missing'
  const options = fields(schemasAt(language, root, path), node, key!.name, isAlone)
  return { ...key!.key, options }
}

// Between two fields, perhaps behind a word without quotes.
function fresh(text: string, offset: number, place: Place, root: Node, language: Language): Completion | undefined {
  const word = /[\w-]*$/.exec(text.slice(place.node.from + 1, offset))![0]
  const afterColon = /:\s*$/.test(text.slice(place.node.from + 1, offset - word.length))
  if (afterColon) {
    const member = place.node.members.findLast(({ key }) => key.to <= offset)
    if (!member) return undefined
    const inner = { path: [...place.path, member.name], node: member.value, key: undefined }
    return value(text, offset, inner, root, language, { secrets: [], workflows: [] })
  }
  return { from: offset - word.length, to: offset, options: fields(schemasAt(language, root, place.path), place.node, undefined, true) }
}

function fields(schemas: Schema[], node: Node, own: string | undefined, withValue: boolean): Option[] {
  const taken = new Set(node.members.map(({ name }) => name).filter((name) => name !== own))
  const options = new Map<string, Option>()
  for (const schema of schemas) {
    for (const [label, one] of Object.entries(schema.properties ?? {})) {
      if (taken.has(label) || options.has(label)) continue
      const skeleton = withValue ? skeletonOf(one) : ''
      const insert = `${JSON.stringify(label)}${withValue ? ': ' : ''}${skeleton}`
      const caret = skeleton.length === 2 ? insert.length - 1 : insert.length
      const detail = schema.required?.includes(label) ? '*' : undefined
      options.set(label, { label, kind: 'field', detail, info: one.description, insert, caret })
    }
  }
  return [...options.values()]
}

// References of the language's own schema are not followed here: those that matter are texts.
function skeletonOf(schema: Schema): string {
  const [type] = typesOf(schema)
  const word = schema.$ref?.split('/').at(-1)
  if (type === 'object' || word === 'Foreach' || word === 'Retry') return '{}'
  if (type === 'array') return '[]'
  return type === 'string' || word !== undefined ? '""' : ''
}

function inString(text: string, offset: number, place: Place, root: Node, language: Language, names: Names): Completion | undefined {
  const { node, path } = place
  const start = node.from + 1
  const end = node.closed ? node.to - 1 : node.to
  const raw = text.slice(start, end)
  const piece = isExpression(path)
    ? { from: 0, to: raw.length }
    : pieces(raw).find(({ from, to }) => from <= offset - start && offset - start <= to)
  if (!piece) {
    return { from: start, to: end, options: values(path, root, language, names).map((one) => ({ ...one, insert: one.label })) }
  }
  const before = raw.slice(piece.from, offset - start)
  const word = /[\w-]*$/.exec(before)![0]
  const after = /^[\w-]*/.exec(raw.slice(offset - start, piece.to))![0]
  return { from: offset - word.length, to: offset + after.length, options: named(before, root, path, language, names) }
}

function value(text: string, offset: number, place: Place, root: Node, language: Language, names: Names): Completion {
  const word = /[\w.-]*$/.exec(text.slice(0, offset))![0]
  return { from: offset - word.length, to: offset, options: values(place.path, root, language, names) }
}

/** Whether the text at a place is an expression by itself. */
export function isExpression(path: string[]): boolean {
  const last = path.at(-1)
  if (last === 'in') return path.at(-2) === 'foreach' && path.length === 4
  if (last !== 'when') return false
  const inCases = path[2] === 'with' && path[3] === 'cases' && path.length === 6
  return path.length === 3 || inCases
}

function values(path: string[], root: Node, language: Language, names: Names): Option[] {
  const text = (label: string, kind: Option['kind'], more: Partial<Option> = {}): Option => ({ label, kind, insert: JSON.stringify(label), ...more })
  const isStep = path[0] === 'steps' || path[0] === 'on_error'
  if (isStep && path.length === 3 && path[2] === 'use') {
    return language.kinds.map(({ kind, description }) => text(kind.replace('<name>', ''), 'value', { info: description }))
  }
  if (isStep && path[2] === 'after') {
    const found = graph(root, path[0] as 'steps' | 'on_error').steps.filter(({ name }) => name !== path[1])
    return found.map(({ name, kind }) => text(name, 'step', { detail: kind }))
  }
  if (isStep && path.length === 4 && path[2] === 'with' && path[3] === 'name') return names.workflows.map((name) => text(name, 'name'))
  return valuesOf(schemasAt(language, root, path)).map(({ value: one, description: info }) =>
    typeof one === 'string' ? text(one, 'value', { info }) : { label: JSON.stringify(one), kind: 'value', insert: JSON.stringify(one), info })
}
