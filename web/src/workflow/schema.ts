// What may stand at a place of a definition, by the language's JSON Schema and those of the kinds of steps.

import { field, words, type Node } from './json'

/** As much of JSON Schema as ours use. */
export interface Schema {
  $ref?: string
  $defs?: Record<string, Schema>
  type?: string | string[]
  description?: string
  properties?: Record<string, Schema>
  additionalProperties?: boolean | Schema
  items?: boolean | Schema
  required?: string[]
  enum?: unknown[]
  const?: unknown
  default?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
}

/** A kind of step, as `GET /api/workflows/kinds` tells it. */
export interface KindView {
  kind: string
  description: string
  with: Schema
  output: Schema
  secret_fields: string[]
}

/** What is known about the language. */
export interface Language {
  schema: Schema
  kinds: KindView[]
}

/** The kind that a word after `use` names. */
export function kindOf(kinds: KindView[], use: string | undefined): KindView | undefined {
  const word = use?.startsWith('exec:') ? 'exec:<name>' : use
  return kinds.find(({ kind }) => kind === word)
}

/** Every schema that a place may follow: several where there is a choice, none where anything may stand. */
export function schemasAt(language: Language, root: Node, path: string[]): Schema[] {
  let [schemas, node] = [choices(language.schema, language.schema, root), root as Node | undefined]
  let home = language.schema
  for (const [index, part] of path.entries()) {
    const isWith = index === 2 && part === 'with' && (path[0] === 'steps' || path[0] === 'on_error')
    const kind = isWith ? kindOf(language.kinds, words(node, 'use')) : undefined
    node = node?.kind === 'array' ? node.items[Number(part)] : field(node, part)
    if (kind) home = kind.with
    const next = kind ? [kind.with] : schemas.flatMap((schema) => below(schema, part))
    schemas = next.flatMap((schema) => choices(home, schema, node))
  }
  return schemas
}

function below(schema: Schema, part: string): Schema[] {
  const named = schema.properties?.[part]
  if (named) return [named]
  const others = /^\d+$/.test(part) && schema.items ? schema.items : schema.additionalProperties
  return typeof others === 'object' ? [others] : []
}

// A schema with its references followed, and each of its alternatives that what stands there does not rule out.
function choices(home: Schema, schema: Schema, node: Node | undefined): Schema[] {
  if (schema.$ref) {
    const { $ref, ...own } = schema
    const target = home.$defs?.[$ref.split('/').at(-1)!]
    return target ? choices(home, { ...target, ...own }, node) : []
  }
  const parts = schema.anyOf ?? schema.oneOf ?? schema.allOf
  if (!parts) return [schema]
  const found = parts.flatMap((part) => choices(home, part, node))
  const fitting = found.filter((part) => fits(part, node))
  const inherit = (part: Schema) => ({ ...part, default: part.default ?? schema.default })
  return (fitting.length ? fitting : found).map(inherit)
}

function fits(schema: Schema, node: Node | undefined): boolean {
  if (node?.kind !== 'object' || schema.additionalProperties !== false) return true
  return node.members.every(({ name, value }) => value.kind === 'missing' || name in (schema.properties ?? {}))
}

/** The values that are the only ones, with what each means. */
export function valuesOf(schemas: Schema[]): { value: unknown; description?: string }[] {
  return schemas.flatMap((schema) => {
    if (schema.const !== undefined) return [{ value: schema.const, description: schema.description }]
    if (schema.enum) return schema.enum.map((value) => ({ value }))
    return typesOf(schema).includes('boolean') ? [{ value: true }, { value: false }] : []
  })
}

/** The types that a schema allows; those of its constant when it names none. */
export function typesOf(schema: Schema): string[] {
  return schema.type === undefined ? [] : [schema.type].flat()
}
