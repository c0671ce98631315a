import { expect, test } from 'vitest'
import { away, bytes, clock, percent, instant, span, when } from './format'

test('places in a recording', () => {
  expect([0, 59_999, 192_000, 4_360_000, null].map(clock)).toEqual(['00:00', '00:59', '03:12', '1:12:40', '—'])
})

test('lengths get coarser as they grow', () => {
  expect([800, 41_000, 180_000, 7_200_000, 259_200_000].map((ms) => span(ms, 'en'))).toEqual(['0.8 sec', '41 sec', '3 min', '2 hr', '3 days'])
})

test('sizes', () => {
  expect([0, 1, 132, 980_000_000, 1_624_555_275, 999_600].map((n) => bytes(n, 'en'))).toEqual(['0 bytes', '1 byte', '132 bytes', '980 MB', '1.6 GB', '1 MB'])
})

test('a hundred percent is the end and nothing before it', () => {
  expect([0, 0.624, 0.999, 1, 1.2, -1].map((part) => percent(part, 'en'))).toEqual(['0%', '62%', '99%', '100%', '100%', '0%'])
})

test('how far away a moment is', () => {
  const now = Date.parse('2031-01-01T00:00:00Z')
  expect([away('2031-01-01T00:04:00Z', 'en', now), away('2030-12-31T21:00:00Z', 'en', now)]).toEqual(['in 4 minutes', '3 hours ago'])
})

test('a moment in a list is as short as can be', () => {
  const now = new Date(2031, 4, 6, 12)
  const of = (...at: [number, number, number, number, number]) => when(new Date(...at).toISOString(), 'en-GB', now)
  expect(of(2031, 4, 6, 9, 5)).toBe('09:05')
  expect(of(2031, 4, 5, 23, 59)).toBe('5 May')
  expect(of(2030, 11, 31, 9, 5)).toBe('31/12/2030')
})

test('a clock is the one that the language has', () => {
  const at = new Date(2031, 4, 6, 17, 5, 9)
  expect(instant(at.toISOString(), 'en-GB')).toBe('6 May 2031, 17:05:09')
  expect(when(at.toISOString(), 'en-US', at).replace(/\s/, ' ')).toBe('5:05 PM')
})
