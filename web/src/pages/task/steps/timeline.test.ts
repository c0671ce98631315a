import { expect, test } from 'vitest'
import type { Task } from '../../../lib/schema'
import { rows } from './timeline'

const at = (second: number) => new Date(second * 1000).toISOString()
const step = (key: string, from: number | null, to: number | null, more = {}) => ({ key, kind: 'http', state: to === null ? 'running' : 'succeeded', started_at: from === null ? null : at(from), finished_at: to === null ? null : at(to), ...more })
const task = (steps: unknown[], more = {}) => ({ status: 'processing', started_at: at(10), finished_at: null, steps, ...more }) as unknown as Task

test('steps share an axis that goes on to now while the task runs', () => {
  const made = rows(task([step('a', 10, 20), step('b', 20, null), step('c', null, null, { state: 'blocked' })]), 50_000)
  expect(made.map((row) => row.bar)).toEqual([{ from: 0, width: 0.25 }, { from: 0.25, width: 0.75 }, null])
  expect(made.map((row) => row.took)).toEqual([10_000, 30_000, null])
})

test('a finished task ends with its last step, and short steps can be seen', () => {
  const made = rows(task([step('a', 10, 10), step('b', 10, 110)], { status: 'completed', finished_at: at(110) }), 9e9)
  expect(made[0]!.bar!.width).toBeGreaterThan(0.01)
  expect(made[1]!.bar).toEqual({ from: 0, width: 1 })
  for (const { bar } of made) expect(bar!.from + bar!.width).toBeLessThanOrEqual(1.0001)
})

test('items are counted at their list', () => {
  const made = rows(task([step('each', 10, null), step('each[0]', 10, 11, { index: 0 }), step('each[1]', 11, null, { index: 1 })]), 20_000)
  expect(made).toHaveLength(1)
  expect(made[0]!.items).toBe(2)
  expect(rows(task([]), 0)).toEqual([])
})
