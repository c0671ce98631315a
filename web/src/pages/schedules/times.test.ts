import { describe, expect, it } from 'vitest'
import { changed, clock, forField, isZone, zones } from './times'

describe('times', () => {
  // What the daemon answers for `30 2 26-30 3 *` in Berlin: on the 28th that time does not come.
  const spring = ['2027-03-26T01:30:00Z', '2027-03-27T01:30:00Z', '2027-03-28T01:00:00Z', '2027-03-29T00:30:00Z', '2027-03-30T00:30:00Z']

  it('are by the clock of the zone', () => {
    expect(spring.map((time) => clock(time, 'Europe/Berlin', 'en-GB').time)).toEqual(['02:30', '02:30', '03:00', '02:30', '02:30'])
    expect(clock(spring[0]!, 'Asia/Shanghai', 'en-GB')).toEqual({ day: 'Fri, 26 Mar 2027', time: '09:30', offset: 'GMT+8' })
    expect(clock('2027-03-25T00:00:00Z', 'UTC', 'zh-CN').time).toBe('00:00')
  })

  it('say where clocks are changed', () => {
    expect(changed(spring, 'Europe/Berlin')).toEqual([false, false, true, false, false])
    expect(changed(spring, 'UTC')).toEqual([false, false, false, false, false])
    expect(changed([], 'UTC')).toEqual([])
  })

  it('know zones from other words', () => {
    expect(['Europe/Berlin', 'UTC', 'Mars/Olympus', ''].map(isZone)).toEqual([true, true, false, false])
    expect(zones()[0]).toBe('UTC')
    expect(clock(spring[0]!, 'Mars/Olympus', 'en-GB').time).toBe('01:30')
  })

  it('are written for a field by the clock here', () => {
    const at = new Date(2027, 2, 5, 7, 4)
    expect(forField(at)).toBe('2027-03-05T07:04')
    expect(new Date(forField(at)).getTime()).toBe(at.getTime())
  })
})
