import { expect, test } from 'vitest'
import { bars, covered } from './shape'

test('each bar is as tall as the loudest point under it', () => {
  expect(bars([0.1, 0.5, 0.2, 0.25], 2)).toEqual([1, 0.5])
  expect(bars([0.5, 0.25], 4)).toEqual([1, 1, 0.5, 0.5])
  expect(bars([], 4)).toEqual([])
  expect(bars([1], 0)).toEqual([])
})

test('the waveform covers as much of the media as its sound lasts', () => {
  expect(covered(4.3, 9.2)).toBeCloseTo(0.467, 3)
  expect(covered(9.2, 9.2)).toBe(1)
  expect(covered(9.3, 9.2)).toBe(1)
  expect(covered(0, 9.2)).toBe(1)
  expect(covered(4.3, 0)).toBe(1)
})
