import { expect, test } from 'vitest'
import type { Delivery } from '../../../lib/schema'
import { isFailing, shownState, tones } from './failing'

const delivery = (state: string, ...attempts: unknown[]) => ({ state, attempts }) as unknown as Delivery
const [refused, taken] = [{ status: 503, error: { code: 'refused', detail: '503', hint: '' } }, { status: 204, error: null }]

test('a callback that was refused and will be tried again does not just wait', () => {
  expect([delivery('pending'), delivery('pending', refused), delivery('sending', refused), delivery('delivered', refused, taken), delivery('dead', refused), delivery('held')].map(shownState)).toEqual(
    ['pending', 'again', 'again', 'delivered', 'dead', 'held'],
  )
  expect([delivery('pending'), delivery('pending', refused), delivery('dead', refused), delivery('delivered', refused, taken)].map(isFailing)).toEqual([false, true, true, false])
  expect(tones.again).toBe('warning')
})
