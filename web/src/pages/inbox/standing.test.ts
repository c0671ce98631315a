import { expect, test } from 'vitest'
import type { Task } from '../../lib/schema'
import { asRow, coming, kindOf, standing, type Row } from './standing'

const say = (key: string, otherwise: string, values: Record<string, string | number> = {}) =>
  ['kind.transcribe', 'status.queued', 'inbox.done-in', 'inbox.place', 'waiting.model_missing', 'status.processing', 'inbox.no-words', 'error.insufficient_storage'].includes(key)
    ? [key, ...Object.values(values)].join(' ')
    : otherwise
const task = (more: Partial<Row>): Row => ({ status: 'queued', warnings: [], held: false, progress: 0, ...more }) as Row
const shown = (more: Partial<Row>) => standing(task(more), say, 'en')

test('a task that runs says its phase and how far it is', () => {
  const current = { key: 'text', kind: 'transcribe', state: 'running', progress: 0.62 }
  expect(shown({ status: 'processing', current })).toMatchObject({ tone: 'running', text: 'kind.transcribe 62%', progress: 0.62 })
  expect(shown({ status: 'processing', progress: 0.3 })).toMatchObject({ text: 'status.processing', progress: 0.3 })
  expect(shown({ status: 'processing', current: { key: 'shout', progress: 0 } }).text).toBe('shout')
})

test('a task that waits says why', () => {
  const report = { code: 'model_missing', detail: 'Model turbo is not here', hint: 'Pull it', attempts: [] }
  expect(shown({ waiting: report })).toMatchObject({ tone: 'waiting', text: 'waiting.model_missing', detail: report.detail, hint: 'Pull it' })
  expect(shown({ current: { key: 'text', state: 'ready', waits_for: 'turn', position: 4, progress: 0 } }).text).toBe('inbox.place 4')
  expect(shown({}).text).toBe('status.queued')
})

test('an error is told by its own sentence where we have none', () => {
  const error = { code: 'strange', detail: 'It broke', hint: 'Mend it', attempts: [] }
  expect(shown({ status: 'failed', error })).toMatchObject({ tone: 'failed', text: 'It broke', hint: 'Mend it' })
})

test('what is done says how long it took and what a reader should know', () => {
  const times = { started_at: '2031-01-01T00:00:00Z', finished_at: '2031-01-01T00:00:41Z' }
  expect(shown({ status: 'completed', ...times })).toMatchObject({ tone: 'done', text: 'inbox.done-in 41 sec' })
  expect(shown({ status: 'completed', ...times, warnings: ['Cut short'] })).toMatchObject({ tone: 'warning', hint: 'Cut short', detail: 'inbox.done-in 41 sec\nCut short' })
  expect(shown({ status: 'completed', ...times, warnings: ['No speech was found'] })).toMatchObject({ tone: 'done', text: 'inbox.no-words', hint: '' })
})

test('what it waits for is told in the words of the error where it has none of its own', () => {
  const waiting = { code: 'insufficient_storage', detail: '0 MiB are needed', hint: 'Free some', attempts: [] }
  expect(shown({ waiting }).text).toBe('error.insufficient_storage')
})

test('the model that a report speaks of is found among those that are downloaded', () => {
  const report = { detail: 'The model tiny-q5_1 is not here yet', hint: 'Run `trawl models pull tiny-q5_1`.' }
  const pull = (name: string, state: string) => ({ name, pull: { state, received: 26, total: 100 } }) as never
  expect(coming(report, [pull('tiny', 'running'), pull('tiny-q5_1', 'running')])).toBe(0.26)
  expect(coming(report, [pull('tiny', 'running'), pull('tiny-q5_1', 'failed')])).toBeNull()
})

test('what runs is found among the steps, and their kinds are remembered for others of the workflow', () => {
  const steps = [{ key: 'media', kind: 'download', state: 'succeeded', progress: 1 }, { key: 'text', kind: 'transcribe', state: 'running', progress: 0.5 }]
  const row = asRow({ ...task({}), workflow: 'w', steps, result: 'long' } as unknown as Task)
  expect(row).toMatchObject({ current: { key: 'text', kind: 'transcribe', progress: 0.5 }, result: null })
  expect(row.steps).toBeUndefined()
  expect([kindOf('w', 'media[3]'), kindOf('w', 'other'), kindOf('v', 'media')]).toEqual(['download', undefined, undefined])
})
