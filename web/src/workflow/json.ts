// JSON with the place of everything in it. It reads on behind mistakes, because a definition is looked at while it is
// being typed: completion and the diagram need what can still be understood.

/** A part of a text: from its first character up to the one behind its last. */
export interface Range {
  from: number
  to: number
}

/** What stands at a place; `missing` where a value should be and is not, `broken` where a word means nothing. */
export type Kind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null' | 'missing' | 'broken'

/** A value with its place. */
export interface Node extends Range {
  kind: Kind
  /** Of texts, numbers and booleans: what they say. */
  value: string | number | boolean | null
  /** Of objects: their fields in the order of the text, the same name perhaps twice. */
  members: Member[]
  /** Of arrays. */
  items: Node[]
  /** Whether its closing mark is there. */
  closed: boolean
}

/** A field of an object. */
export interface Member {
  name: string
  key: Range
  value: Node
}

/** A text that was read. */
export interface Parsed {
  root: Node
  /** Where it is no JSON; empty when it is. */
  errors: Range[]
}

// Deeper than any definition may be, and shallow enough for the stack.
const DEEPEST = 100

/** Reads a text as JSON, as far as it is. */
export function parse(text: string): Parsed {
  return new Reader(text).read()
}

/** The field of an object by its name; where it appears twice, the last one counts. */
export function member(node: Node | undefined, name: string): Member | undefined {
  return node?.members.findLast((one) => one.name === name)
}

/** The value of a field, if it is there. */
export function field(node: Node | undefined, name: string): Node | undefined {
  return member(node, name)?.value
}

/** The text of a field that holds one. */
export function words(node: Node | undefined, name: string): string | undefined {
  const found = field(node, name)
  return found?.kind === 'string' ? String(found.value) : undefined
}

class Reader {
  private at = 0
  private readonly errors: Range[] = []

  constructor(private readonly text: string) {}

  read(): Parsed {
    const root = this.value(0)
    this.blanks()
    if (this.at < this.text.length) this.wrong(this.at, this.text.length)
    return { root, errors: this.errors }
  }

  private wrong(from: number, to = from + 1) {
    this.errors.push({ from, to: Math.min(Math.max(to, from), this.text.length) })
  }

  private blanks() {
    while (/[ \t\r\n]/.test(this.text[this.at] ?? '')) this.at++
  }

  private node(kind: Kind, from: number, value: Node['value'] = null, closed = true): Node {
    return { kind, from, to: this.at, value, members: [], items: [], closed }
  }

  private value(depth: number): Node {
    this.blanks()
    const from = this.at
    const next = this.text[from]
    if (next === undefined || ',]}:'.includes(next)) {
      this.wrong(from)
      return this.node('missing', from)
    }
    if (depth > DEEPEST) {
      this.at = this.text.length
      this.wrong(from, this.at)
      return this.node('broken', from)
    }
    if (next === '{') return this.object(depth)
    if (next === '[') return this.array(depth)
    if (next === '"') {
      const { value, closed } = this.string()
      return this.node('string', from, value, closed)
    }
    return this.word()
  }

  private object(depth: number): Node {
    const from = this.at++
    const members: Member[] = []
    let expectsComma = false
    for (;;) {
      this.blanks()
      const next = this.text[this.at]
      if (next === undefined || next === ']') break
      if (next === '}') {
        if (members.length && !expectsComma) this.wrong(this.at)
        this.at++
        return { ...this.node('object', from), members }
      }
      if (next === ',') {
        if (!expectsComma) this.wrong(this.at)
        expectsComma = false
        this.at++
      } else if (next === '"') {
        if (expectsComma) this.wrong(this.at)
        members.push(this.member(depth))
        expectsComma = true
      } else {
        this.stray()
      }
    }
    this.wrong(this.at)
    return { ...this.node('object', from, null, false), members }
  }

  private member(depth: number): Member {
    const from = this.at
    const { value: name } = this.string()
    const key = { from, to: this.at }
    const behind = this.at
    this.blanks()
    if (this.text[this.at] !== ':') {
      this.at = behind
      this.wrong(behind)
      return { name, key, value: this.node('missing', behind) }
    }
    this.at++
    return { name, key, value: this.value(depth + 1) }
  }

  private array(depth: number): Node {
    const from = this.at++
    const items: Node[] = []
    let expectsComma = false
    for (;;) {
      this.blanks()
      const next = this.text[this.at]
      if (next === undefined || next === '}') break
      if (next === ']') {
        if (items.length && !expectsComma) this.wrong(this.at)
        this.at++
        return { ...this.node('array', from), items }
      }
      if (next === ',') {
        if (!expectsComma) this.wrong(this.at)
        expectsComma = false
        this.at++
      } else if (next === ':') {
        this.stray()
      } else {
        if (expectsComma) this.wrong(this.at)
        items.push(this.value(depth + 1))
        expectsComma = true
      }
    }
    this.wrong(this.at)
    return { ...this.node('array', from, null, false), items }
  }

  // A text ends at the end of its line when its quote is missing: the lines below are still understood.
  private string(): { value: string; closed: boolean } {
    const from = this.at++
    for (; this.at < this.text.length; this.at++) {
      const next = this.text[this.at]
      if (next === '\n') break
      if (next === '\\') this.at++
      else if (next === '"') {
        this.at++
        return { value: this.unescaped(from), closed: true }
      }
    }
    this.at = Math.min(this.at, this.text.length)
    this.wrong(from, this.at)
    return { value: this.text.slice(from + 1, this.at), closed: false }
  }

  private unescaped(from: number): string {
    try {
      return JSON.parse(this.text.slice(from, this.at)) as string
    } catch {
      this.wrong(from, this.at)
      return this.text.slice(from + 1, this.at - 1)
    }
  }

  private word(): Node {
    const from = this.at
    while (this.at < this.text.length && !/[\s,:{}[\]"]/.test(this.text[this.at]!)) this.at++
    const word = this.text.slice(from, this.at)
    if (word === 'true' || word === 'false') return this.node('boolean', from, word === 'true')
    if (word === 'null') return this.node('null', from)
    if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(word)) return this.node('number', from, Number(word))
    this.wrong(from, this.at)
    return this.node('broken', from, word)
  }

  private stray() {
    const from = this.at++
    while (this.at < this.text.length && !/[\n,:{}[\]"]/.test(this.text[this.at]!)) this.at++
    this.wrong(from, this.at)
  }
}
