import { describe, expect, test } from 'vitest'
import { Trail, type Read } from './trail'

/** A list of tasks in parts of three, and how often it was asked. */
function list(all: () => number[]) {
  const asked: unknown[] = []
  const read: Read = async (filter, next) => {
    asked.push([filter, next])
    const from = Number(next ?? 0)
    const ids = all().filter((id) => !filter.status || id % 2 === 0)
    return { ids: ids.slice(from, from + 3), next: from + 3 < ids.length ? String(from + 3) : null }
  }
  return { asked, trail: new Trail(read) }
}

describe('going from task to task', () => {
  test('as the inbox showed them, without asking', async () => {
    const { asked, trail } = list(() => [])
    trail.leave({ status: 'failed' }, { ids: [9, 6, 2], next: null })
    expect(await trail.beside(6, 1)).toBe(2)
    expect(await trail.beside(6, -1)).toBe(9)
    expect(await trail.beside(2, 1)).toBe(null)
    expect(asked).toEqual([])
  })

  test('an address that was opened is looked for among all', async () => {
    const { trail, asked } = list(() => [8, 7, 6, 5, 4, 3, 2, 1])
    expect(await trail.beside(4, 1)).toBe(3)
    expect(await trail.beside(4, -1)).toBe(5)
    expect(asked).toHaveLength(2)
    expect(await trail.beside(3, 1)).toBe(2)
    expect(await trail.beside(1, 1)).toBe(null)
    expect(await trail.beside(8, -1)).toBe(null)
  })

  test('further than the inbox had read, and to what has come in since', async () => {
    let all = [6, 4, 2]
    const { trail } = list(() => all)
    trail.leave({ status: 'failed' }, { ids: [6, 4, 2], next: null })
    all = [10, 8, 6, 4, 2]
    expect(await trail.beside(6, -1)).toBe(8)
    expect(await trail.beside(6, 1)).toBe(4)
    expect(await trail.beside(4, 1)).toBe(2)
  })

  test('another task than those of the inbox is one of all', async () => {
    const { trail, asked } = list(() => [5, 4, 3, 2, 1])
    trail.leave({ status: 'failed' }, { ids: [4, 2], next: null })
    expect(await trail.beside(3, 1)).toBe(2)
    expect(await trail.beside(2, 1)).toBe(1)
    expect(asked).toEqual([[{}, null], [{}, '3']])
  })

  test('one that is gone leads on to its neighbours', async () => {
    const { trail } = list(() => [5, 4, 2, 1])
    expect(await trail.beside(3, 1)).toBe(2)
    expect(await trail.beside(3, -1)).toBe(4)
  })
})
