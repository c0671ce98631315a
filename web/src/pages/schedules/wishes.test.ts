import { describe, expect, it } from 'vitest'
import type { Schedule, Source } from '../../lib/schema'
import { isWhole, newSchedule, newSource, noTime, scheduleChange, scheduleWish, sourceChange, sourceWish } from './wishes'

const stored = {
  id: 3, name: 'Morning', cron: '30 6 * * *', tz: 'Asia/Shanghai', overlap: 'queue', catchup: 'all', jitter: '5m', priority: 'high',
  workflow: 'words', source_id: null, params: { link: 'x' }, alert_after: 3, alert_url: 'https://a.example/x',
} as unknown as Schedule

describe('schedules', () => {
  it('begin with the zone of the reader', () => {
    expect(newSchedule(scheduleWish('Europe/Berlin'), { link: 'x' })).toEqual({
      cron: '0 8 * * *', tz: 'Europe/Berlin', overlap: 'skip', catchup: 'latest', workflow: 'transcribe', params: { link: 'x' }, priority: 'normal',
    })
  })

  it('poll a source in place of starting a workflow', () => {
    const wish = { ...scheduleWish('UTC'), target: 'source' as const, source: '7', name: ' Feed ', jitter: '30s', alertUrl: 'https://a.example' }
    expect(newSchedule(wish, { link: 'x' })).toEqual({
      cron: '0 8 * * *', tz: 'UTC', overlap: 'skip', catchup: 'latest', source_id: 7, name: 'Feed', jitter: '30s', alert_after: 1, alert_url: 'https://a.example',
    })
    const change = scheduleChange({ ...scheduleWish('UTC', { ...stored, source_id: 7, workflow: null } as Schedule) }, {}, false)
    expect(change).not.toHaveProperty('workflow')
    expect(change).not.toHaveProperty('source_id')
  })

  it('keep what was not touched', () => {
    expect(scheduleChange(scheduleWish('UTC', stored), stored.params, false)).toEqual({
      cron: '30 6 * * *', tz: 'Asia/Shanghai', overlap: 'queue', catchup: 'all', jitter: '5m', priority: 'high', name: 'Morning',
      workflow: 'words', params: { link: 'x' }, alert_after: 3, alert_url: 'https://a.example/x',
    })
  })

  it('of definitions get alerts only, and lose them', () => {
    expect(scheduleChange({ ...scheduleWish('UTC', stored), alertAfter: '', alertUrl: '' }, {}, true)).toEqual({ alert_after: 0, alert_url: '' })
  })

  it('know when chance adds nothing', () => {
    expect([undefined, '', '0s', '0', '00ms', '5m', '10s'].map(noTime)).toEqual([true, true, true, true, true, false, false])
    expect(scheduleChange({ ...scheduleWish('UTC', stored), jitter: '' }, {}, false).jitter).toBe('0s')
  })
})

describe('sources', () => {
  it('say what becomes of what is there already', () => {
    const wish = { ...sourceWish(), link: ' https://a.example/feed ' }
    expect(newSource(wish, {})).toEqual({ link: 'https://a.example/feed', workflow: 'transcribe', priority: 'normal', pages: 1, backfill: 'page' })
    expect(newSource({ ...wish, backfill: 'count', count: '25', title: ' Feed ' }, { language: 'en' })).toMatchObject({ backfill: 25, title: 'Feed', params: { language: 'en' } })
  })

  it('take parameters away when they are changed', () => {
    const source = { link: 'x', title: 'Feed', workflow: 'words', priority: 'low', pages: 3 } as unknown as Source
    expect(sourceChange(sourceWish(source), {})).toEqual({ workflow: 'words', priority: 'low', params: {}, pages: 3, title: 'Feed' })
  })

  it('take whole numbers within bounds', () => {
    expect([['1', 1, 20], ['21', 1, 20], ['', 1, 20], ['1.5', 1, 20], [' 7 ', 1, 20], ['-1', 0, 9]].map(([text, least, most]) => isWhole(text as string, least as number, most as number)))
      .toEqual([true, false, false, false, true, false])
  })
})
