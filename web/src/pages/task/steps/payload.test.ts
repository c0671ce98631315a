import { expect, test } from 'vitest'
import { definitionOf, largest, shown } from './payload'

test('what is too large is not drawn', () => {
  expect(shown({ a: 1 }).text).toBe('{\n  "a": 1\n}')
  expect(shown('x'.repeat(largest))).toEqual({ text: null, size: largest + 2 })
  expect(shown(undefined)).toEqual({ text: '', size: 0 })
})

test('the text of a step, of its halves and of its items', () => {
  const workflow = { definition: { steps: { text: { use: 'transcribe' }, each: { use: 'workflow' } }, on_error: { tell: { use: 'callback' } } } }
  expect(definitionOf(workflow, 'text:extract')).toEqual({ use: 'transcribe' })
  expect(definitionOf(workflow, 'each[12]')).toEqual({ use: 'workflow' })
  expect(definitionOf(workflow, 'tell')).toEqual({ use: 'callback' })
  for (const key of ['gone', 'constructor', '__proto__']) expect(definitionOf(workflow, key)).toBeNull()
  expect(definitionOf(null, 'text')).toBeNull()
})
