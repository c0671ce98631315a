import { expect, test } from 'vitest'
import type { Step, Task } from '../../../lib/schema'
import { told } from './told'
import { shownState } from './tones'

const error = { code: 'not_found', detail: 'Nothing is there', hint: 'Look elsewhere', attempts: [] }
const step = (state: Step['state'], more = {}) => ({ key: 'media', kind: 'download', state, error, ...more }) as unknown as Step
const task = (more = {}) => ({ status: 'processing', error: null, waiting: null, current: null, ...more }) as unknown as Task

test('a failure is told in full once: at the head of the page, or at its step', () => {
  expect(told(step('failed'), task({ error }), true)).toBe('short')
  expect(told(step('failed'), task({ error }), false)).toBe('full')
  expect(told(step('failed'), task({ error: { ...error, detail: 'Another one' } }), true)).toBe('full')
  expect(told(step('failed', { error: null }), task(), true)).toBeNull()
})

test('what waits has not failed, and what was cancelled needs no reason', () => {
  expect(told(step('waiting'), task(), true)).toBe('waits')
  expect(told(step('waiting'), task({ waiting: error }), true)).toBe('short')
  expect(told(step('ready'), task({ current: { waits_for: 'retry', error } }), true)).toBe('short')
  expect(told(step('running'), task(), true)).toBe('last')
  expect(told(step('cancelled'), task({ status: 'cancelled' }), true)).toBeNull()
  expect(told(step('succeeded'), task(), true)).toBeNull()
})

test('a step that never began was not cancelled', () => {
  expect(shownState('cancelled', false)).toBe('not-run')
  expect(shownState('cancelled', true)).toBe('cancelled')
  expect(shownState('failed', false)).toBe('failed')
})
