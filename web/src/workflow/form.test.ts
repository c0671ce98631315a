import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { diff, fold } from './diff'
import { answers, body, curl, questions, read, type Param } from './form'

const form = (params: Record<string, Param>) => questions({ params })
const reading = (param: Param, answer: string | boolean) => read(form({ x: param }), { x: answer })

describe('form', () => {
  it('asks for what a definition declares', () => {
    const list = form({ link: { type: 'url' }, n: { type: 'integer', default: 5 }, on: { type: 'boolean', default: true }, tags: { type: 'array', default: [] }, kind: { type: 'string', enum: ['a', 'b'], default: 'b' } })
    expect(list.map(({ name, control, required }) => [name, control, required])).toEqual([
      ['link', 'text', true], ['n', 'number', false], ['on', 'check', false], ['tags', 'json', false], ['kind', 'choice', false],
    ])
    expect(answers(list)).toEqual({ link: '', n: '5', on: true, tags: '[]', kind: '1' })
    expect(answers(list, { link: 'x', n: 0, kind: 'a' })).toMatchObject({ link: 'x', n: '0', kind: '0' })
    expect([questions({}), questions(null), questions({ params: null })]).toEqual([[], [], []])
  })

  it('leaves out what says the same as the default', () => {
    const list = form({ link: { type: 'url' }, n: { type: 'integer', default: 5 }, tags: { type: 'array', default: [] } })
    expect(read(list, { ...answers(list), link: ' https://x ' })).toEqual({ params: { link: 'https://x' }, wrong: {} })
    expect(read(list, { link: 'y', n: '6', tags: '["a"]' }).params).toEqual({ link: 'y', n: 6, tags: ['a'] })
  })

  it.each<[Param, string | boolean, unknown]>([
    [{ type: 'url' }, '  ', 'required'],
    [{ type: 'string' }, '', 'required'],
    [{ type: 'integer' }, '', 'required'],
    [{ type: 'integer' }, '1.5', 'integer'],
    [{ type: 'integer' }, '99999999999999999999', 'integer'],
    [{ type: 'number' }, '1e999', 'number'],
    [{ type: 'number' }, 'x', 'number'],
    [{ type: 'array' }, '{}', 'array'],
    [{ type: 'object' }, '[]', 'object'],
    [{ type: 'object' }, '{', 'json'],
    [{ type: 'string', enum: ['a'] }, '', 'required'],
    [{ type: 'string', max_length: 2 }, '𠮷𠮷𠮷', 'long'],
  ])('refuses for %j the answer %j: %s', (param, answer, wrong) => {
    expect(reading(param, answer).wrong).toEqual({ x: wrong })
  })

  it.each<[Param, string | boolean, unknown]>([
    [{ type: 'integer' }, ' -3 ', -3],
    [{ type: 'number' }, '0.5', 0.5],
    [{ type: 'boolean' }, false, false],
    [{ type: 'string', max_length: 2 }, '𠮷𠮷', '𠮷𠮷'],
    [{ type: 'string', default: 'x' }, '', ''],
    [{ type: 'object' }, '{"a": 1}', { a: 1 }],
    [{ type: 'integer', enum: [1, 2] }, '1', 2],
  ])('reads for %j the answer %j', (param, answer, value) => {
    expect(reading(param, answer)).toEqual({ params: { x: value }, wrong: {} })
  })

  it('lets go of an optional number', () => {
    expect(reading({ type: 'integer', default: 5 }, '')).toEqual({ params: {}, wrong: {} })
  })

  it('writes a request that a shell sends as it is meant', () => {
    const request = body('words', { link: "it's $HOME `x` \"q\" \\ 网" }, 'high')
    expect(request).toEqual({ workflow: 'words', params: { link: "it's $HOME `x` \"q\" \\ 网" }, priority: 'high' })
    expect(body('words', {})).toEqual({ workflow: 'words' })
    const command = curl('http://127.0.0.1:8000/api/tasks', request, true)
    expect(command).toContain('Bearer $TRAWL_TOKEN')
    // The shell says what curl would get.
    const said = execFileSync('sh', ['-c', command.replace('curl', 'printf "%s\\n"')], { env: { TRAWL_TOKEN: 't' } }).toString().trim().split('\n')
    expect(said.at(-3)).toBe('Authorization: Bearer t')
    expect(JSON.parse(said.at(-1)!)).toEqual(request)
  })
})

describe('diff', () => {
  const shown = (before: string, after: string) =>
    diff(before, after).map(({ kind, text }) => ({ same: ' ', added: '+', removed: '-' })[kind] + text).join('\n')

  it('tells what has changed', () => {
    expect(shown('a\nb\nc\n', 'a\nx\nc\nd\n')).toBe(' a\n-b\n+x\n c\n+d')
    expect(shown('a\n', 'a\n')).toBe(' a')
    expect(shown('', 'a')).toBe('+a')
    expect(shown('a\nb', '')).toBe('-a\n-b')
  })

  it('numbers the lines of both', () => {
    expect(diff('a\nb\nc', 'b\nc\nd').map(({ before, after }) => [before, after])).toEqual([[1, undefined], [2, 1], [3, 2], [undefined, 3]])
  })

  it('gives both texts back, whatever has changed', () => {
    const line = (n: number) => String.fromCharCode(97 + n)
    for (let seed = 1; seed < 60; seed++) {
      const draw = (k: number) => Array.from({ length: (seed * k) % 13 }, (_, i) => line((seed * (i + k) * 7 + i * i) % 5))
      const [before, after] = [draw(3), draw(5)]
      const lines = diff(before.join('\n'), after.join('\n'))
      expect(lines.filter(({ kind }) => kind !== 'added').map(({ text }) => text)).toEqual(before)
      expect(lines.filter(({ kind }) => kind !== 'removed').map(({ text }) => text)).toEqual(after)
    }
  })

  it('folds what is the same', () => {
    const text = Array.from({ length: 40 }, (_, n) => `line ${n}`)
    const hunks = fold(diff(text.join('\n'), text.with(20, 'other').join('\n')))
    expect(hunks.map(({ folded, lines }) => lines?.length ?? -folded)).toEqual([-17, 8, -16])
    expect(fold(diff('a', 'a'))).toEqual([{ folded: 1 }])
  })
})
