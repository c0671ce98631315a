import { expect, test } from 'vitest'
import { ticked } from './ticks'

test('what stands between backticks is code, and nothing is lost', () => {
  expect(ticked('Run `trawl models pull tiny`, or `x`')).toEqual([
    { text: 'Run ', code: false }, { text: 'trawl models pull tiny', code: true }, { text: ', or ', code: false }, { text: 'x', code: true },
  ])
  expect(ticked('one ` alone <b>')).toEqual([{ text: 'one ` alone <b>', code: false }])
  expect(ticked('')).toEqual([])
})
