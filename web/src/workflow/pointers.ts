// From a JSON Pointer to a place in the text, and back.

import { member, type Member, type Node, type Range } from './json'

/** Where a pointer leads. */
export interface Located {
  node: Node
  /** The field that it is, when it is one. */
  member: Member | undefined
  /** Whether the whole way is there; otherwise it is the last place on it that is. */
  exact: boolean
}

/** The names and numbers on the way of a JSON Pointer. */
export function steps(pointer: string): string[] {
  if (!pointer.startsWith('/')) return []
  return pointer.slice(1).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Writes a way as a JSON Pointer. */
export function pointer(path: string[]): string {
  return path.map((part) => '/' + part.replaceAll('~', '~0').replaceAll('/', '~1')).join('')
}

/** Follows a pointer as far as it goes. */
export function locate(root: Node, at: string): Located {
  let here: Located = { node: root, member: undefined, exact: true }
  for (const part of steps(at)) {
    const next = follow(here.node, part)
    if (!next) return { ...here, exact: false }
    here = next
  }
  return here
}

function follow(node: Node, part: string): Located | undefined {
  const found = member(node, part)
  if (found) return { node: found.value, member: found, exact: true }
  const item = node.kind === 'array' && /^\d+$/.test(part) ? node.items[Number(part)] : undefined
  return item && { node: item, member: undefined, exact: true }
}

/** What one would underline: a plain value itself, of everything larger its name or its first bracket. */
export function shown(located: Located): Range {
  const { node, member: named } = located
  const isLarge = node.kind === 'object' || node.kind === 'array'
  if (!isLarge && node.to > node.from) return { from: node.from, to: node.to }
  if (named) return named.key
  return { from: node.from, to: Math.min(node.from + 1, node.to) }
}

/** What a caret stands in. */
export interface Place {
  /** The way to the innermost value, or to the object whose key it is. */
  path: string[]
  /** The innermost value around it; for a key, the object. */
  node: Node
  /** The key that it stands in. */
  key: Member | undefined
}

/** What stands at an offset. */
export function placeAt(root: Node, offset: number): Place {
  const path: string[] = []
  let node = root
  for (;;) {
    const key = node.members.find((one) => one.key.from < offset && offset <= one.key.to)
    // Behind the closing quote of a key the caret is in no key any more, unless there is no value yet.
    if (key && (offset < key.key.to || key.value.kind === 'missing')) return { path, node, key }
    const next = inner(node, offset)
    if (!next) return { path, node, key: undefined }
    path.push(next.part)
    node = next.node
  }
}

function inner(node: Node, offset: number): { part: string; node: Node } | undefined {
  const named = node.members.find((one) => holds(one.value, offset))
  if (named) return { part: named.name, node: named.value }
  const index = node.items.findIndex((item) => holds(item, offset))
  return index < 0 ? undefined : { part: String(index), node: node.items[index]! }
}

// A bracket that is closed ends what it holds; words are still typed at their end.
function holds(node: Node, offset: number): boolean {
  const isBlock = node.kind === 'object' || node.kind === 'array' || node.kind === 'string'
  if (isBlock) return node.from < offset && (node.closed ? offset < node.to : offset <= node.to)
  return node.from <= offset && offset <= node.to
}
