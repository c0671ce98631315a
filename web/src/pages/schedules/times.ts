// Times of schedules as people read them: by the clock of their own zone, and by the clock on the wall here.

/** A moment by the clock of a zone. */
export interface Clock {
  day: string
  time: string
  /** How far that clock is from UTC just then, such as `GMT+2`. */
  offset: string
}

/** The zone of this browser. */
export const here = () => new Intl.DateTimeFormat().resolvedOptions().timeZone

/** The zones that the browser knows, UTC first. */
export function zones(): string[] {
  const known = Intl.supportedValuesOf('timeZone')
  return ['UTC', ...known.filter((zone) => zone !== 'UTC')]
}

/** Whether a text names a zone. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return zone !== ''
  } catch {
    return false
  }
}

/** A moment by the clock of a zone; by UTC where the browser does not know the zone. */
export function clock(iso: string, zone: string, locale: string): Clock {
  const timeZone = isZone(zone) ? zone : 'UTC'
  const at = new Date(iso)
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, { timeZone, ...options })
  const named = format({ timeZoneName: 'shortOffset', hour: '2-digit' }).formatToParts(at).find(({ type }) => type === 'timeZoneName')
  return {
    day: format({ weekday: 'short', year: 'numeric', month: 'short', day: 'numeric' }).format(at),
    time: format({ timeStyle: 'short' }).format(at),
    offset: named?.value ?? '',
  }
}

/** Which of some times come after clocks were changed, seen from the one before. */
export function changed(times: string[], zone: string): boolean[] {
  const offsets = times.map((time) => clock(time, zone, 'en').offset)
  return offsets.map((offset, index) => index > 0 && offset !== offsets[index - 1])
}

/** What a field for day and time holds, by the clock here. */
export function forField(at: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`
}

/** Patterns that one can begin with. */
export const PATTERNS = [
  ['hourly', '0 * * * *'],
  ['six-hours', '0 */6 * * *'],
  ['daily', '0 8 * * *'],
  ['weekdays', '30 6 * * MON-FRI'],
  ['weekly', '0 9 * * MON'],
  ['monthly', '0 0 1 * *'],
] as const
