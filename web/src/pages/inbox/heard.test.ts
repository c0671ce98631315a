import { expect, test } from 'vitest'
import { heard, type Row } from './standing'

const row = { id: 1, workflow: 'w', status: 'queued', progress: 0, current: { key: 'a', state: 'ready', waits_for: 'turn', position: 3, progress: 0 } } as unknown as Row
const event = (kind: string, data: object) => ({ id: 1, kind, data: { task_id: 1, ...data } })

test('a step that begins waits for nothing any more', () => {
  expect(heard(row, event('step', { step: 'a', state: 'running' }))?.current).toMatchObject({ key: 'a', state: 'running', waits_for: undefined, position: undefined })
  expect(heard(row, event('step', { step: 'a', state: 'succeeded' }))).toBeNull()
})

test('progress is of the step and of the whole', () => {
  expect(heard(row, event('progress', { step: 'b', step_progress: 0.5, progress: 0.25 }))).toMatchObject({ progress: 0.25, current: { key: 'b', progress: 0.5 } })
})

test('a status takes the reason with it', () => {
  const failed = heard(row, event('status', { status: 'failed', error: { code: 'no_audio' } }))
  expect(failed).toMatchObject({ status: 'failed', error: { code: 'no_audio' }, waiting: null })
  expect(heard(failed!, event('status', { status: 'queued' }))).toMatchObject({ status: 'queued', error: null })
})

test('other events leave a row alone', () => {
  expect(heard(row, event('segment', { segment: {} }))).toBeNull()
})
