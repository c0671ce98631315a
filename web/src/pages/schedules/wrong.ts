// What the daemon finds wrong with a pattern or a zone, as the names of the page's own words.

type Told = { detail: string }

/** A text of the page with its values. */
export interface Words {
  key: `schedules.cron.wrong.${'minute' | 'hour' | 'day' | 'month' | 'weekday' | 'fields' | 'never' | 'other'}` | `schedules.zone.wrong${'' | '.nearest'}`
  values: Record<string, string | number>
}

/** What is wrong with a pattern; what has no words here is told in general. */
export function wrongPattern({ detail }: Told): Words {
  const [, field, part] = /: (minute|hour|day|month|weekday) (\S+)$/.exec(detail) ?? []
  if (field && part) return { key: `schedules.cron.wrong.${field as 'minute'}`, values: { part } }
  const count = /: (\d+) fields instead/.exec(detail)?.[1]
  if (count) return { key: 'schedules.cron.wrong.fields', values: { n: Number(count) } }
  return { key: detail.endsWith('it never fires') ? 'schedules.cron.wrong.never' : 'schedules.cron.wrong.other', values: {} }
}

/** What is wrong with a zone, and which one may be meant. */
export function wrongZone({ detail }: Told): Words {
  const name = /did you mean "([^"]+)"/.exec(detail)?.[1]
  return name ? { key: 'schedules.zone.wrong.nearest', values: { name } } : { key: 'schedules.zone.wrong', values: {} }
}
