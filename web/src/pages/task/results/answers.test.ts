import { expect, test } from 'vitest'
import type { Step } from '../../../lib/schema'
import { answer, inOrder } from './answers'

const step = (output: unknown, more: Partial<Step> = {}) =>
  ({ key: 'a', kind: 'llm', state: 'succeeded', output, output_truncated: false, attempt: 1, crashes: 0, eligible_at: '', progress: 1, ...more }) as Step

test('each result by its shape', () => {
  expect(answer(step({ json: { chapters: [{ start: 1.5, title: 'One', summary: 's' }] }, text: '{}' }))).toMatchObject({ kind: 'chapters', chapters: [{ start: 1.5 }] })
  expect(answer(step({ json: { keywords: ['a', 'b'] } }))).toMatchObject({ kind: 'keywords', words: ['a', 'b'] })
  expect(answer(step({ json: { label: 'mixed', score: 0.5 } }))).toMatchObject({ kind: 'facts', facts: [['label', 'mixed'], ['score', '0.5']] })
  expect(answer(step({ text: '**x**' }))).toMatchObject({ kind: 'text', text: '**x**' })
  expect(answer(step({ file: '/api/tasks/1/files/a.srt', format: 'srt' }, { kind: 'subtitle' }))).toMatchObject({ kind: 'file', format: 'srt' })
  expect(answer(step(null, { output_truncated: true }))).toMatchObject({ kind: 'large' })
})

test('what has another shape than it should is shown as what it is, and never breaks the page', () => {
  expect(answer(step({ json: { chapters: [{ start: '1', title: 2 }] } }))?.kind).toBe('facts')
  expect(answer(step({ json: { keywords: [1] } }))?.kind).toBe('facts')
  for (const output of [null, 7, 'x', [], {}, { text: ' ' }]) expect(answer(step(output))).toBeNull()
  expect(answer(step({ text: 'x' }, { state: 'failed' }))).toBeNull()
  for (const file of ['javascript:alert(1)', 'https://evil.example', '//evil', 7]) expect(answer(step({ file }, { kind: 'subtitle' }))).toBeNull()
})

test('every result has its place before it is there, whichever comes first', () => {
  const steps = (done: string[]) =>
    ['sub', 'chapters', 'text', 'mine', 'summary'].map((key) => {
      const kind = key === 'sub' ? 'subtitle' : key === 'text' ? 'transcribe' : 'llm'
      return step(kind === 'subtitle' ? { file: '/a.srt', format: 'srt' } : { text: 'x' }, { key, kind, state: done.includes(key) ? 'succeeded' : 'running' })
    })
  const keys = (done: string[]) => inOrder(steps(done)).map((each) => each.step.key)
  expect(keys([])).toEqual(['summary', 'chapters', 'mine'])
  expect(keys(['chapters', 'sub'])).toEqual(['summary', 'chapters', 'mine', 'sub'])
  expect(keys(['summary', 'chapters', 'mine', 'sub'])).toEqual(['summary', 'chapters', 'mine', 'sub'])
  expect(inOrder(steps(['chapters'])).map((each) => each.answer?.kind ?? null)).toEqual([null, 'text', null])
  expect(inOrder([step(null, { key: 'summary', state: 'failed' })])).toEqual([])
})
