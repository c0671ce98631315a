// What the expressions of a definition refer to. It reads names only; whether an expression is right, the server says.

/** A name in an expression, such as `steps.text.output.segments`. */
export interface Reference {
  path: string[]
  /** Whether something missing would be borne: inside `default`, `coalesce` or `has`. */
  guarded: boolean
}

/** An expression in a text: where it begins and ends, without `${` and `}`. */
export interface Piece {
  from: number
  to: number
  /** Whether its `}` is there. */
  closed: boolean
}

type Token = { word: string; at: number }

// Strings and comments, names, or a single mark.
const TOKENS = /"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|\/\/[^\n]*|[A-Za-z_][\w-]*|\d[\w.]*|\S/g
const GUARDS: Record<string, number> = { default: 1, coalesce: Infinity, has: 1 }

/** The `${…}` of a text; `$${` begins none. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = []
  for (let at = text.indexOf('${'); at >= 0; at = text.indexOf('${', at)) {
    at += 2
    if (text[at - 3] === '$') continue
    const end = closing(text, at)
    found.push({ from: at, to: end ?? text.length, closed: end !== undefined })
    if (end === undefined) break
    at = end
  }
  return found
}

function closing(text: string, from: number): number | undefined {
  let depth = 0
  for (const { word, at } of tokens(text.slice(from))) {
    if (word === '{') depth++
    if (word === '}' && depth-- === 0) return from + at
  }
  return undefined
}

function tokens(text: string): Token[] {
  return [...text.matchAll(TOKENS)].map((match) => ({ word: match[0], at: match.index }))
}

/** What an expression refers to, in its order. */
export function references(expression: string): Reference[] {
  const found: Reference[] = []
  const all = tokens(expression)
  // For each bracket that is open: whose call it is, and how many commas of it have passed.
  const open: { call: string; commas: number }[] = []
  for (let index = 0; index < all.length; index++) {
    const word = all[index]!.word
    const around = open.at(-1)
    if (word === ',' && around) around.commas++
    if ('([{'.includes(word)) open.push({ call: word === '(' ? callee(all, index) : '', commas: 0 })
    if (')]}'.includes(word)) open.pop()
    if (!isName(word) || all[index - 1]?.word === '.') continue
    const { path, next } = chain(all, index)
    if (all[next]?.word === '(' && path.length === 1) continue
    // The last part of `steps.a.output.x.filter(` is a method.
    if (all[next]?.word === '(') path.pop()
    found.push({ path, guarded: open.some(({ call, commas }) => commas < (GUARDS[call] ?? 0)) })
    // A bracket that is part of the path has been read with it.
    index = next - 1
  }
  return found
}

function callee(all: Token[], index: number): string {
  const before = all[index - 1]?.word ?? ''
  return isName(before) && all[index - 2]?.word !== '.' ? before : ''
}

function isName(word: string): boolean {
  return /^[A-Za-z_]/.test(word) && !['true', 'false', 'null', 'in'].includes(word)
}

function chain(all: Token[], start: number): { path: string[]; next: number } {
  const path = [all[start]!.word]
  let next = start + 1
  for (;;) {
    const [mark, part, end] = [all[next]?.word, all[next + 1]?.word, all[next + 2]?.word]
    if (mark === '.' && part !== undefined && /^[A-Za-z_]/.test(part)) {
      path.push(part)
      next += 2
    } else if (mark === '[' && part !== undefined && /^['"\d]/.test(part) && end === ']') {
      path.push(part.replaceAll(/^['"]|['"]$/g, ''))
      next += 3
    } else return { path, next }
  }
}
