import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { field, parse, words, type Node } from './json'
import { locate, placeAt, pointer, shown, steps } from './pointers'
import { pretty } from './pretty'

const shipped = join(import.meta.dirname, '../../../workflows')
const definitions = readdirSync(shipped).filter((name) => name.endsWith('.json')).map((name) => [name, readFileSync(join(shipped, name), 'utf8')] as const)

/** The value without its places. */
function plain(node: Node): unknown {
  if (node.kind === 'object') return Object.fromEntries(node.members.map(({ name, value }) => [name, plain(value)]))
  return node.kind === 'array' ? node.items.map(plain) : node.value
}

describe('parse', () => {
  it.each(definitions)('reads %s as JSON.parse does', (_, text) => {
    const { root, errors } = parse(text)
    expect(errors).toEqual([])
    expect(plain(root)).toEqual(JSON.parse(text))
  })

  it.each(['', '{', '{"a"}', '{"a":}', '[1,]', '{"a":1,}', '{,}', '{"a":1 "b":2}', 'tru', '01', '"x', '{"a":1}}', '[1}', '"\\x"', '"a\tb"'])('says of %j that it is no JSON', (text) => {
    expect(() => JSON.parse(text)).toThrow()
    expect(parse(text).errors.length).toBeGreaterThan(0)
  })

  it('understands what stands behind a mistake', () => {
    const { root } = parse('{"a": "open\n, "b": {"c": 1, stray, "d": }, "e": [1 2]')
    expect(words(root, 'a')).toBe('open')
    expect(field(field(root, 'b'), 'c')?.value).toBe(1)
    expect(field(field(root, 'b'), 'd')?.kind).toBe('missing')
    expect(field(root, 'e')?.items.map(({ value }) => value)).toEqual([1, 2])
  })

  it('ends for any cut of a definition, and for one that is too deep', () => {
    const text = definitions[0]![1]
    for (let end = 0; end < text.length; end++) expect(parse(text.slice(0, end)).root.to).toBeLessThanOrEqual(end)
    expect(parse('['.repeat(100_000)).errors).not.toEqual([])
  })

  it('keeps names apart from what objects have by themselves', () => {
    const { root } = parse('{"__proto__": {"x": 1}, "constructor": 2}')
    expect(field(field(root, '__proto__'), 'x')?.value).toBe(1)
    expect(field(root, 'toString')).toBeUndefined()
  })
})

describe('pointers', () => {
  const text = '{"steps": {"a/b": {"with": ["x", {"n": 12}]}}}'
  const { root } = parse(text)
  const quoted = (at: string) => {
    const { from, to } = shown(locate(root, at))
    return text.slice(from, to)
  }

  it('finds what a pointer means', () => {
    expect(quoted('/steps/a~1b/with/1/n')).toBe('12')
    expect(quoted('/steps/a~1b/with/0')).toBe('"x"')
  })

  it('marks the name of something large', () => {
    expect(quoted('/steps/a~1b')).toBe('"a/b"')
    expect(quoted('')).toBe('{')
  })

  it('stops at the last place that is there', () => {
    expect(locate(root, '/steps/a~1b/when').exact).toBe(false)
    expect(quoted('/steps/a~1b/when')).toBe('"a/b"')
  })

  it('reads and writes names with marks of their own', () => {
    expect(steps('/a~1b/c~0d/~01')).toEqual(['a/b', 'c~d', '~1'])
    expect(pointer(['a/b', 'c~d', '~1'])).toBe('/a~1b/c~0d/~01')
    expect(steps('')).toEqual([])
  })

  it('says what a caret stands in', () => {
    expect(placeAt(root, text.indexOf('12') + 1).path).toEqual(['steps', 'a/b', 'with', '1', 'n'])
    expect(placeAt(root, text.indexOf('with') + 1)).toMatchObject({ path: ['steps', 'a/b'], key: { name: 'with' } })
    expect(placeAt(root, text.indexOf('"x"') + 2).path).toEqual(['steps', 'a/b', 'with', '0'])
  })
})

describe('pretty', () => {
  it.each(definitions)('keeps what %s says', (_, text) => {
    expect(JSON.parse(pretty(JSON.stringify(JSON.parse(text))))).toEqual(JSON.parse(text))
  })

  it('keeps short things in a line, numbers as written, and steps below each other', () => {
    const written = pretty('{"name":"x","params":{"link":{"type":"url"}},"steps":{"a":{"use":"http","with":{"n":1.50,"big":12345678901234567890}}}}')
    expect(written).toBe(`{
  "name": "x",
  "params": {
    "link": { "type": "url" }
  },
  "steps": {
    "a": { "use": "http", "with": { "n": 1.50, "big": 12345678901234567890 } }
  }
}
`)
    expect(pretty(written)).toBe(written)
  })

  it('leaves alone what is no JSON', () => {
    expect(pretty('{"a": ')).toBe('{"a": ')
  })
})
