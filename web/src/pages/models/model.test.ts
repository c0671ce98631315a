import { expect, test } from 'vitest'
import type { Model, ModelPull } from '../../lib/schema'
import { arrived, isBegun, languages, left, part, sorted, weights } from './model'

const pull = (more: Partial<ModelPull>): ModelPull => ({ state: 'running', received: 0, total: null, bytes_per_second: 0, started_at: '2026-11-21T00:00:00Z', ...more })
const model = (name: string, more: Partial<Model> = {}): Model => ({ name, present: false, official: true, default: false, aliases: [], loaded_on: [], ...more })
const info = { multilingual: true, ftype: 'q8_0', n_vocab: 1, n_state: 1, n_audio_layer: 1, n_text_layer: 1, n_mels: 80 }

test('the time that is left needs a size and a speed', () => {
  expect(left(pull({ received: 200, total: 1200, bytes_per_second: 100 }))).toBe(10_000)
  expect(left(pull({ received: 200, bytes_per_second: 100 }))).toBeNull()
  expect(left(pull({ received: 200, total: 1200 }))).toBeNull()
  expect(left(pull({ state: 'failed', received: 200, total: 1200, bytes_per_second: 100 }))).toBeNull()
  // Sizes that are published are rounded: more than all can be here.
  expect(left(pull({ received: 1300, total: 1200, bytes_per_second: 100 }))).toBe(0)
  expect(part(pull({ received: 1300, total: 1200 }))).toBe(1)
  expect(part(pull({ received: 1300 }))).toBeNull()
})

test('a file says more than a name, and a name of a stranger says nothing', () => {
  expect(languages(model('small.en-q5_1'))).toBe('english')
  expect(languages(model('small-q5_1'))).toBe('many')
  expect(languages(model('mine', { official: false }))).toBeNull()
  expect(languages(model('mine.en', { official: false, info }))).toBe('many')
  expect(weights(model('small-q5_1'))).toBe('q5_1')
  expect(weights(model('large-v3-turbo'))).toBe('f16')
  expect(weights(model('mine', { official: false }))).toBeNull()
  expect(weights(model('mine-q5_0', { info }))).toBe('q8_0')
})

test('what tasks get comes first, apart by whether it is here', () => {
  const models = [model('tiny'), model('base', { present: true }), model('turbo', { default: true }), model('mine', { present: true, default: true })]
  const { here, absent } = sorted(models)
  expect(here.map(({ name }) => name)).toEqual(['mine', 'base'])
  expect(absent.map(({ name }) => name)).toEqual(['turbo', 'tiny'])
})

test('a download that ended is told once, one that was done before is not', () => {
  const [running, done, failed] = [model('a', { pull: pull({}) }), model('a', { pull: pull({ state: 'done' }) }), model('a', { pull: pull({ state: 'failed', received: 5 }) })]
  expect(arrived([running], [done])).toEqual([done])
  expect(arrived([done], [done])).toEqual([])
  expect(arrived([running], [failed])).toEqual([])
  expect(isBegun(failed)).toBe(true)
  expect(isBegun(running)).toBe(false)
  expect(isBegun(model('b', { pull: pull({ state: 'cancelled' }) }))).toBe(false)
})
