import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Row } from './standing'
import { TaskList } from './tasks.svelte'

type Page = { items: Partial<Row>[]; total: number; next_cursor?: string }
const asked = vi.hoisted(() => [] as ((page: Page) => void)[])
vi.mock('../../lib/api', () => ({
  api: { GET: () => new Promise((answer) => asked.push(answer)) },
  ask: (answer: Promise<unknown>) => answer,
  problem: (error: unknown) => error,
}))
const page = (...ids: number[]): Page => ({ items: ids.map((id) => ({ id, status: 'processing' })), total: ids.length })
const soon = () => vi.advanceTimersByTimeAsync(400)

beforeEach(() => {
  asked.length = 0
  vi.useFakeTimers()
})
afterEach(() => vi.useRealTimers())

test('who comes back finds the list as it was left, with what has changed meanwhile, and it is read anew', async () => {
  const list = new TaskList()
  list.show({}, 'all')
  asked[0]!(page(3, 2, 1))
  await soon()
  list.leave()
  list.hear({ id: 1, kind: 'deleted', data: { task_id: 2 } })
  list.hear({ id: 2, kind: 'status', data: { task_id: 1, status: 'failed' } })
  list.hear({ id: 3, kind: 'created', data: { task_id: 4 } })
  await soon()
  expect(asked).toHaveLength(1)
  list.show({}, 'all')
  expect([list.loading, list.ids, list.rows.get(1)?.status]).toEqual([false, [3, 1], 'failed'])
  let grown = 0
  list.grown = (rows) => (grown = rows)
  await soon()
  asked[1]!(page(4, 3, 1))
  await soon()
  expect([list.ids, grown]).toEqual([[4, 3, 1], 1])
})

test('after a gap, or narrowed in another way, it is read from the top', async () => {
  const list = new TaskList()
  list.show({}, 'all')
  asked[0]!(page(3, 2, 1))
  await soon()
  list.leave()
  list.hear({ id: 1, kind: 'gap', data: {} })
  list.show({}, 'all')
  expect(list.loading).toBe(true)
  asked[1]!(page(9))
  await soon()
  list.show({ status: 'failed' }, 'failed')
  expect(list.loading).toBe(true)
})

test('an old answer does not take the place of a newer one', async () => {
  const list = new TaskList()
  list.show({}, 'all')
  list.refresh()
  await soon()
  expect(asked).toHaveLength(1)
  asked[0]!(page())
  await soon()
  asked[1]!(page(1))
  await soon()
  expect(list.ids).toEqual([1])
})
