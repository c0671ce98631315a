// What `POST /api/workflows/validate` tells, put where it belongs in the text.

import { type Node, type Range } from './json'
import { locate, shown } from './pointers'

/** One thing that is wrong with a definition, or odd, in the server's words. */
export interface Problem {
  code: string
  pointer: string
  message: string
  suggestion?: string
  severity: 'error' | 'warning'
  caret?: string
}

/** A problem with its place. */
export interface Placed extends Problem, Range {
  /** The line it begins on, from 1. */
  line: number
  /** Whether `suggestion` can take the place of what is marked. */
  fixes: boolean
}

/** Whether something is a problem as the server tells them. */
export function isProblem(value: unknown): value is Problem {
  const one = value as Problem | null
  return typeof one === 'object' && one !== null && typeof one.code === 'string' && typeof one.message === 'string'
}

/** Puts every problem where it belongs; those of the first lines come first. */
export function place(text: string, root: Node, problems: Problem[]): Placed[] {
  const starts = lineStarts(text)
  const all = problems.map((problem) => {
    const { range, fixes } = rangeOf(text, root, problem, starts)
    const from = Math.min(range.from, text.length)
    return { ...problem, from, to: Math.min(Math.max(range.to, from), text.length), line: lineOf(starts, from), fixes }
  })
  return all.sort((a, b) => a.from - b.from)
}

/** Where each line of a text begins. */
export function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** The number of the line that an offset is on, from 1. */
export function lineOf(starts: number[], offset: number): number {
  let [low, high] = [0, starts.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (starts[middle]! <= offset) low = middle
    else high = middle
  }
  return low + 1
}

function rangeOf(text: string, root: Node, problem: Problem, starts: number[]): { range: Range; fixes: boolean } {
  const position = problem.code === 'E_JSON' ? /line (\d+), column (\d+)/.exec(problem.message) : null
  if (position) return { range: atColumn(text, starts, Number(position[1]), Number(position[2])), fixes: false }
  const located = locate(root, problem.pointer)
  const marked = problem.caret === undefined ? undefined : byCaret(text, located.node, problem.caret)
  if (marked) return { range: marked, fixes: false }
  const named = byName(text, located.node, problem.message)
  if (named) return { range: named, fixes: problem.suggestion !== undefined && problem.code !== 'E_JSON_DUP' }
  return { range: shown(located), fixes: false }
}

function atColumn(text: string, starts: number[], line: number, column: number): Range {
  const start = starts[Math.min(line, starts.length) - 1] ?? 0
  const from = Math.min(start + Math.max(column - 1, 0), text.length)
  // At the very end there is nothing to mark but what comes before it.
  return from < text.length ? { from, to: from + 1 } : { from: Math.max(from - 1, 0), to: from }
}

// The expression is quoted in one line, the next one has a mark below the place. Where the text holds it with escapes, it
// is not found, and the whole value is marked.
function byCaret(text: string, node: Node, caret: string): Range | undefined {
  const [source, mark] = caret.split('\n')
  const column = mark?.indexOf('^') ?? -1
  if (!source || column < 0 || node.kind !== 'string') return undefined
  const start = text.slice(node.from, node.to).indexOf(source)
  if (start < 0) return undefined
  const from = node.from + start + column
  return { from, to: Math.min(from + 1, node.to - 1) }
}

// Messages quote the names that are wrong: in an object it is a field's, in a text a part of it.
function byName(text: string, node: Node, message: string): Range | undefined {
  const name = /"((?:[^"\\]|\\.)+)"/.exec(message.split('; did you mean')[0] ?? '')?.[1]
  if (!name) return undefined
  const found = node.members.findLast((one) => one.name === name)
  if (found) return { from: found.key.from + 1, to: found.key.to - 1 }
  if (node.kind !== 'string') return undefined
  const inside = text.slice(node.from + 1, node.to - 1)
  const at = wordAt(inside, name)
  return at < 0 ? undefined : { from: node.from + 1 + at, to: node.from + 1 + at + name.length }
}

function wordAt(text: string, name: string): number {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const before = text[at - 1] ?? ' '
    const behind = text[at + name.length] ?? ' '
    if (!/\w/.test(before) && !/\w/.test(behind)) return at
  }
  return -1
}
