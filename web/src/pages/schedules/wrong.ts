// What the daemon finds wrong with a pattern or a zone, as names of texts.

import type texts from '../../locales/apart/cron'

type Told = { detail: string }

/** A text with its values. */
export interface Words {
  key: keyof typeof texts.en
  values: Record<string, string | number>
}

/** What is wrong with a pattern; what has no words here is told in general. */
export function wrongPattern({ detail }: Told): Words {
  const [, field, part] = /: (minute|hour|day|month|weekday) (\S+)$/.exec(detail) ?? []
  if (field && part) return { key: field as 'minute', values: { part } }
  const count = /: (\d+) fields instead/.exec(detail)?.[1]
  if (count) return { key: 'fields', values: { n: Number(count) } }
  return { key: detail.endsWith('it never fires') ? 'never' : 'other', values: {} }
}

/** What is wrong with a zone, and which one may be meant. */
export function wrongZone({ detail }: Told): Words {
  const name = /did you mean "([^"]+)"/.exec(detail)?.[1]
  return name ? { key: 'zone-nearest', values: { name } } : { key: 'zone', values: {} }
}
