import { expect, test } from 'vitest'
import { asked, standing, wish, wrong } from './token'
import { bars, ceiling, days } from './usage'

const now = Date.parse('2026-11-21T10:00:00Z')

test('a token that was taken back is so for ever, one that ends ends at its moment', () => {
  expect(standing({}, now)).toBe('active')
  expect(standing({ expires_at: '2026-11-21T10:00:00Z' }, now)).toBe('expired')
  expect(standing({ expires_at: '2026-11-21T10:00:01Z' }, now)).toBe('active')
  expect(standing({ expires_at: '2027-01-01T00:00:00Z', revoked_at: '2026-11-20T00:00:00Z' }, now)).toBe('revoked')
})

test('a form is told its mistakes, and gives units as the API has them', () => {
  expect([...wrong({ ...wish(), scopes: [], tasks: '1.5', audio: '-1', bytes: 'x' })].sort()).toEqual(['audio', 'bytes', 'name', 'scopes', 'tasks'])
  expect(wrong({ ...wish(), name: '猫'.repeat(101) }).has('name')).toBe(true)
  const good = { ...wish(), name: ' phone ', life: '30', audio: '1.5', bytes: '20' }
  expect(wrong(good).size).toBe(0)
  expect(asked(good, now)).toEqual({
    name: 'phone', scopes: ['read', 'submit'], expires_at: '2026-12-21T10:00:00.000Z',
    quota: { tasks_per_minute: null, audio_seconds_per_day: 5400, bytes_per_day: 20_000_000 },
  })
  expect(asked({ ...good, life: '' }, now).expires_at).toBeNull()
})

test('thirty days stand beside each other, those without anything, too', () => {
  const item = (day: string, requests: number) => ({ day: `${day}T00:00:00Z`, requests, tasks: 1, audio_seconds: 0.5, bytes_in: 0, llm_tokens: 0 })
  const list = days([item('2026-11-21', 4), item('2026-11-21', 6), item('2026-10-23', 3), item('2026-10-22', 99)], 30, now)
  expect(list.length).toBe(30)
  expect(list[0]).toMatchObject({ day: '2026-10-23', requests: 3 })
  expect(list[29]).toMatchObject({ day: '2026-11-21', requests: 10, tasks: 2, audio_seconds: 1 })
  expect(list.reduce((sum, day) => sum + day.requests, 0)).toBe(13)
})

test('bars end at a round number, and little is not nothing', () => {
  expect([0, 1, 3, 7, 10, 1200, 0.3].map(ceiling)).toEqual([1, 1, 5, 10, 10, 2000, 0.5])
  const [zero, little, much] = bars([0, 1, 5000], 300, 100)
  expect([zero!.height, little!.height, much!.height]).toEqual([0, 1.5, 100])
  expect(much!.x + much!.width).toBeLessThanOrEqual(300)
})
