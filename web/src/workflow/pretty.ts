// JSON as people write it: what fits into a line stays in one. Numbers and texts are kept as they are written.

import { parse, type Node } from './json'

const WIDTH = 120

/** Lays a JSON text out; one that is no JSON comes back as it is. */
export function pretty(text: string): string {
  const { root, errors } = parse(text)
  return errors.length ? text : write(text, root, 0, 0) + '\n'
}

function write(text: string, node: Node, depth: number, used: number): string {
  const isBlock = node.kind === 'object' || node.kind === 'array'
  if (!isBlock) return text.slice(node.from, node.to)
  const [open, close] = node.kind === 'object' ? '{}' : '[]'
  if (!node.members.length && !node.items.length) return `${open}${close}`
  // The definition itself and its steps are read from top to bottom, however short they are.
  const line = depth < 2 && node.kind === 'object' && isNested(node) ? undefined : oneLine(text, node)
  if (line !== undefined && used + line.length <= WIDTH) return line
  const indent = '  '.repeat(depth + 1)
  const parts = node.kind === 'array'
    ? node.items.map((item) => write(text, item, depth + 1, indent.length))
    : node.members.map(({ key, value }) => {
        const name = `${text.slice(key.from, key.to)}: `
        return name + write(text, value, depth + 1, indent.length + name.length)
      })
  return `${open}\n${parts.map((part) => indent + part).join(',\n')}\n${'  '.repeat(depth)}${close}`
}

function isNested(node: Node): boolean {
  return node.members.some(({ value }) => value.kind === 'object' && value.members.length > 0)
}

function oneLine(text: string, node: Node): string {
  if (node.kind === 'array') {
    return node.items.length ? `[${node.items.map((item) => oneLine(text, item)).join(', ')}]` : '[]'
  }
  if (node.kind !== 'object') return text.slice(node.from, node.to)
  if (!node.members.length) return '{}'
  return `{ ${node.members.map(({ key, value }) => `${text.slice(key.from, key.to)}: ${oneLine(text, value)}`).join(', ')} }`
}
