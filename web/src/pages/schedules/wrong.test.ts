import { describe, expect, it } from 'vitest'
import { wrongPattern, wrongZone } from './wrong'

const pattern = (detail: string) => wrongPattern({ detail: `Field "cron": ${detail}` })

describe('what is wrong', () => {
  it('with a pattern has words of its own', () => {
    expect(pattern('"61 * * * *": minute 61')).toEqual({ key: 'minute', values: { part: '61' } })
    expect(pattern('"0 0 * * FRY": weekday FRY').key).toBe('weekday')
    expect(pattern('"0 8 * *": 4 fields instead of 5 (minute, hour, day, month, weekday)')).toEqual({ key: 'fields', values: { n: 4 } })
    expect(pattern('"0 0 30 2 *": there is no such day, so it never fires').key).toBe('never')
    expect(pattern('"@daily": write "0 0 * * *"').key).toBe('other')
    expect(pattern('"1,, * * * *": minute is empty').key).toBe('other')
  })

  it('with a zone names the one that may be meant', () => {
    expect(wrongZone({ detail: 'Field "tz": no time zone "Europe/Belin"; did you mean "Europe/Berlin"?' })).toEqual({ key: 'zone-nearest', values: { name: 'Europe/Berlin' } })
    expect(wrongZone({ detail: 'Field "tz": no time zone "Mars"' }).key).toBe('zone')
  })
})
