// Numbers as people read them. Pure: the language is a parameter.

const dash = '—'

/** A place in a recording: `03:12`, `1:12:40`. */
export function clock(ms: number | null | undefined): string {
  if (ms == null || !Number.isFinite(ms)) return dash
  const whole = Math.max(0, Math.floor(ms / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${two(minutes)}:${two(seconds)}`
}

// Making one takes longer than using it a hundred times, and lists use them for every row.
const made = new Map<string, Intl.NumberFormat>()
function numbers(locale: string, options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
  const key = `${locale} ${options.style} ${options.unit} ${options.maximumFractionDigits}`
  const format = made.get(key) ?? new Intl.NumberFormat(locale, options)
  made.set(key, format)
  return format
}

const unit = (value: number, name: string, locale: string, digits = 0) =>
  // Short, a single byte is written like many.
  numbers(locale, { style: 'unit', unit: name, unitDisplay: name === 'byte' ? 'long' : 'short', maximumFractionDigits: digits }).format(value)

/** How long something takes: `0.8 s`, `41 s`, `3 min`, `2 hr`. */
export function span(ms: number | null | undefined, locale: string): string {
  if (ms == null || !Number.isFinite(ms)) return dash
  const seconds = Math.max(0, ms) / 1000
  if (seconds < 10) return unit(seconds, 'second', locale, 1)
  if (seconds < 90) return unit(seconds, 'second', locale)
  if (seconds < 5400) return unit(seconds / 60, 'minute', locale)
  if (seconds < 172_800) return unit(seconds / 3600, 'hour', locale, 1)
  return unit(seconds / 86_400, 'day', locale)
}

/** A size: `980 MB`, `1.6 GB` (powers of 1000, as disks are sold). */
export function bytes(count: number | null | undefined, locale: string): string {
  if (count == null || !Number.isFinite(count)) return dash
  const names = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']
  let size = Math.max(0, count)
  let step = 0
  while (size >= 999.5 && step < names.length - 1) {
    size /= 1000
    step += 1
  }
  return unit(size, names[step]!, locale, step > 0 && size < 10 ? 1 : 0)
}

/** A count: `10,000`. */
export const number = (count: number, locale: string): string => numbers(locale).format(count)

/** A part of one: `62 %` as the language writes it. Whole, and 100 only at the end. */
export function percent(part: number, locale: string): string {
  const whole = part >= 1 ? 1 : Math.min(0.99, Math.max(0, part))
  return numbers(locale, { style: 'percent', maximumFractionDigits: 0 }).format(whole)
}

/** A moment by day and clock; in another time zone where one is named. */
export function moment(iso: string | null | undefined, locale: string, zone?: string): string {
  if (!iso) return dash
  return writer(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: zone }).format(new Date(iso))
}

/** A moment to the second, for what takes seconds. */
export function instant(iso: string | null | undefined, locale: string): string {
  return iso ? writer(locale, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(iso)) : dash
}

/** A moment as short as can be: the clock today, the day in this year, else the date. */
export function when(iso: string, locale: string, now = new Date()): string {
  const at = new Date(iso)
  if (at.toDateString() === now.toDateString()) return writer(locale, { timeStyle: 'short' }).format(at)
  const isThisYear = at.getFullYear() === now.getFullYear()
  return writer(locale, isThisYear ? { day: 'numeric', month: 'short' } : { dateStyle: 'short' }).format(at)
}
const writers = new Map<string, Intl.DateTimeFormat>()
function writer(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`
  const format = writers.get(key) ?? new Intl.DateTimeFormat(locale, options)
  writers.set(key, format)
  return format
}

/** How far away a moment is: `in 4 minutes`, `3 hours ago`. */
export function away(iso: string | null | undefined, locale: string, now = Date.now()): string {
  if (!iso) return dash
  const seconds = (new Date(iso).getTime() - now) / 1000
  const say = (value: number, name: Intl.RelativeTimeFormatUnit) =>
    new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(Math.round(value), name)
  const size = Math.abs(seconds)
  if (size < 60) return say(seconds, 'second')
  if (size < 3600) return say(seconds / 60, 'minute')
  if (size < 86_400) return say(seconds / 3600, 'hour')
  return say(seconds / 86_400, 'day')
}
