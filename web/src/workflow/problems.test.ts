import { describe, expect, it } from 'vitest'
import { parse } from './json'
import { isProblem, place, type Problem } from './problems'

const text = `{
  "dsl": 1,
  "name": "words",
  "params": { "link": { "type": "url" } },
  "steps": {
    "text": { "use": "transcribe", "tiemout": "5m", "with": { "media": "\${params.link}" } },
    "summary": {
      "use": "llm",
      "when": "size(steps.text.output.text) > > 0",
      "with": { "prompt": "summary", "input": "\${steps.txet.output.text}" }
    }
  }
}
`

function placed(problem: Partial<Problem>, source = text) {
  const all = place(source, parse(source).root, [{ code: 'E_FIELD', pointer: '', message: '', severity: 'error', ...problem }])
  const { from, to, line, fixes } = all[0]!
  return { marked: source.slice(from, to), line, fixes }
}

describe('place', () => {
  it('marks a misspelt step in the middle of a text', () => {
    const problem = { code: 'E_REF', pointer: '/steps/summary/with/input', message: 'no step "txet"; did you mean "text"?', suggestion: 'text' }
    expect(placed(problem)).toEqual({ marked: 'txet', line: 10, fixes: true })
  })

  it('marks a misspelt field by its name, though the pointer leads to what it is in', () => {
    const problem = { pointer: '/steps/text', message: 'unknown field "tiemout"; did you mean "timeout"?', suggestion: 'timeout' }
    expect(placed(problem)).toEqual({ marked: 'tiemout', line: 6, fixes: true })
  })

  it('marks the column of an expression', () => {
    const caret = 'size(steps.text.output.text) > > 0\n                               ^'
    expect(placed({ code: 'E_EXPR', pointer: '/steps/summary/when', message: 'unexpected ">"', caret })).toEqual({ marked: '>', line: 9, fixes: false })
  })

  it('goes by line and column where there is no JSON', () => {
    expect(placed({ code: 'E_JSON', message: 'line 2, column 3: expected `:`' }, '{\n  x\n}')).toMatchObject({ marked: 'x', line: 2 })
    expect(placed({ code: 'E_JSON', message: 'line 1, column 0: EOF while parsing a value' }, '')).toMatchObject({ marked: '', line: 1 })
    expect(placed({ code: 'E_JSON', message: 'line 9, column 9: what' }, '{')).toMatchObject({ marked: '{', line: 1 })
  })

  it('marks the second of two fields of one name', () => {
    const twice = '{"a": 1,\n"a": 2}'
    expect(placed({ code: 'E_JSON_DUP', message: 'key "a" appears twice' }, twice)).toEqual({ marked: 'a', line: 2, fixes: false })
  })

  it('marks whole values and names of what is missing', () => {
    expect(placed({ pointer: '/name', message: 'too long' }).marked).toBe('"words"')
    expect(placed({ pointer: '/steps/summary/with', message: 'needs "media"' }).marked).toBe('"with"')
    expect(placed({ pointer: '/steps/nothing/here', message: 'what' }).marked).toBe('"steps"')
  })

  it('finds whole words only', () => {
    const source = '{"a": "texts of text"}'
    expect(place(source, parse(source).root, [{ code: 'E', pointer: '/a', message: 'no step "text"', severity: 'error' }])[0]!.from).toBe(16)
  })

  it('begins with what stands first', () => {
    const two = [{ pointer: '/steps', message: 'b' }, { pointer: '/dsl', message: 'a' }].map((one) => ({ code: 'E', severity: 'error' as const, ...one }))
    expect(place(text, parse(text).root, two).map(({ line }) => line)).toEqual([2, 5])
  })

  it('knows a problem when it sees one', () => {
    expect([{ code: 'E', message: 'x', pointer: '' }, null, 'E', { code: 1 }].map(isProblem)).toEqual([true, false, false, false])
  })
})
