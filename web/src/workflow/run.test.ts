import { describe, expect, it } from 'vitest'
import type { Step } from '../lib/schema'
import { standings, took } from './run'

const step = (key: string, state: Step['state'], more: Partial<Step> = {}): Step =>
  ({ key, kind: 'transcribe', state, attempt: 1, crashes: 0, progress: 0, output_truncated: false, eligible_at: '2026-01-01T00:00:00Z', ...more }) as Step
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
const states = (...steps: Step[]) => Object.fromEntries([...standings(steps)].map(([name, { state }]) => [name, state]))

describe('standings', () => {
  it('takes the halves of a step as one', () => {
    expect(states(step('text:extract', 'running'), step('text', 'blocked'))).toEqual({ text: 'running' })
    expect(states(step('text:extract', 'succeeded'), step('text', 'ready'))).toEqual({ text: 'ready' })
    expect(states(step('text:extract', 'succeeded'), step('text', 'running'))).toEqual({ text: 'running' })
    expect(states(step('text:extract', 'failed'), step('text', 'cancelled'))).toEqual({ text: 'failed' })
    expect(states(step('text:extract', 'skipped'), step('text', 'skipped'))).toEqual({ text: 'skipped' })
  })

  it('counts the items of a list at the list', () => {
    const found = standings([step('each', 'running', { remaining: 1 }), step('each[0]', 'succeeded', { index: 0 }), step('each[1]', 'running', { index: 1 }), step('each-other', 'ready')])
    expect([...found.keys()]).toEqual(['each', 'each-other'])
    expect(found.get('each')).toMatchObject({ items: 2, left: 1 })
  })

  it('knows how long both halves took, and how long one that runs has taken', () => {
    const found = standings([
      step('text:extract', 'succeeded', { started_at: at(1), finished_at: at(3), attempt: 2 }),
      step('text', 'succeeded', { started_at: at(5), finished_at: at(9) }),
      step('next', 'running', { started_at: at(9), progress: 0.5 }),
      step('last', 'blocked'),
    ])
    const now = Date.parse(at(10))
    expect(found.get('text')!.attempt).toBe(2)
    expect([...found.values()].map((one) => took(one, now))).toEqual([8000, 1000, null])
    expect(found.get('next')!.progress).toBe(0.5)
  })
})
