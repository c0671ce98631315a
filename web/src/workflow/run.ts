// How the steps of a definition stand in a run.

import type { Step } from '../lib/schema'

/** How a step of a definition stands, its halves and the items of its list taken together. */
export interface Standing {
  state: Step['state']
  attempt: number
  /** 0 to 1 while it runs. */
  progress: number
  /** The items of its list, and how many of them have not ended. */
  items: number
  left: number
  /** When it began and ended, in milliseconds; null before that. */
  began: number | null
  ended: number | null
}

const HALF = ':extract'
const ms = (time: string | null | undefined) => (time ? Date.parse(time) : null)

/** How each step of a definition stands, by its name. */
export function standings(steps: Step[]): Map<string, Standing> {
  const whole = steps.filter(({ key, index }) => !key.endsWith(HALF) && index == null)
  const halves = new Map(steps.filter(({ key }) => key.endsWith(HALF)).map((step) => [step.key.slice(0, -HALF.length), step]))
  return new Map(whole.map((step) => {
    const half = halves.get(step.key)
    // Before the second half is at work, the first one tells how the step stands.
    const now = half && (half.state === 'failed' || (half.state !== 'succeeded' && step.state === 'blocked')) ? half : step
    return [step.key, {
      state: now.state,
      attempt: Math.max(step.attempt, half?.attempt ?? 0),
      progress: step.state === 'running' ? step.progress : 0,
      items: steps.filter(({ key }) => key.startsWith(`${step.key}[`) && key.endsWith(']')).length,
      left: step.remaining ?? 0,
      began: ms(half?.started_at) ?? ms(step.started_at),
      ended: ms(now.finished_at),
    }]
  }))
}

/** How long a step took, or has taken until now; null before it has begun. */
export function took({ state, began, ended }: Standing, now: number): number | null {
  const end = ended ?? (state === 'running' ? now : null)
  return began === null || end === null ? null : Math.max(0, end - began)
}
