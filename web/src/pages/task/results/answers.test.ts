import { expect, test } from 'vitest'
import type { Step } from '../../../lib/schema'
import { answer } from './answers'

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
