// What the forms of schedules and sources hold, and the requests that they stand for.

import type { NewSchedule, NewSource, Schedule, ScheduleChange, Source, SourceChange } from '../../lib/schema'

/** The form of a schedule; numbers are texts while they are typed. */
export interface ScheduleWish {
  name: string
  target: 'workflow' | 'source'
  workflow: string
  source: string
  cron: string
  tz: string
  overlap: Schedule['overlap']
  catchup: Schedule['catchup']
  jitter: string
  priority: Schedule['priority']
  alertAfter: string
  alertUrl: string
}

/** The form of a new schedule, or of one that is there. */
export function scheduleWish(zone: string, schedule?: Schedule): ScheduleWish {
  return {
    name: schedule?.name ?? '',
    target: schedule?.source_id ? 'source' : 'workflow',
    workflow: schedule?.workflow ?? 'transcribe',
    source: schedule?.source_id ? String(schedule.source_id) : '',
    cron: schedule?.cron ?? '0 8 * * *',
    tz: schedule?.tz ?? zone,
    overlap: schedule?.overlap ?? 'skip',
    catchup: schedule?.catchup ?? 'latest',
    jitter: noTime(schedule?.jitter) ? '' : schedule!.jitter,
    priority: schedule?.priority ?? 'normal',
    alertAfter: schedule?.alert_after ? String(schedule.alert_after) : '',
    alertUrl: schedule?.alert_url ?? '',
  }
}

/** Whether a length of time is none at all. */
export function noTime(text: string | null | undefined): boolean {
  return !text || /^0+[a-z]*$/.test(text)
}

/** What is asked for when it is made. */
export function newSchedule(wish: ScheduleWish, params: Record<string, unknown>): NewSchedule {
  const { cron, tz, overlap, catchup, priority } = wish
  const ofWorkflow = { workflow: wish.workflow, params, priority }
  return {
    cron, tz, overlap, catchup,
    ...(wish.target === 'source' ? { source_id: Number(wish.source) } : ofWorkflow),
    ...(wish.name.trim() && { name: wish.name.trim() }),
    ...(wish.jitter.trim() && { jitter: wish.jitter.trim() }),
    ...alert(wish),
  } as NewSchedule
}

/** What is asked for when it is changed; `defined` are those of a workflow's definition, which can only get an alert here. */
export function scheduleChange(wish: ScheduleWish, params: Record<string, unknown>, defined: boolean): ScheduleChange {
  const told = { alert_after: Number(wish.alertAfter || 0), alert_url: wish.alertUrl.trim() }
  if (defined) return told as ScheduleChange
  const { cron, tz, overlap, catchup, priority } = wish
  const ofWorkflow = { workflow: wish.workflow, params, priority }
  return {
    cron, tz, overlap, catchup, jitter: wish.jitter.trim() || '0s', ...told,
    ...(wish.name.trim() && { name: wish.name.trim() }),
    ...(wish.target === 'workflow' && ofWorkflow),
  } as ScheduleChange
}

function alert({ alertAfter, alertUrl }: ScheduleWish) {
  return alertUrl.trim() ? { alert_after: Number(alertAfter || 1), alert_url: alertUrl.trim() } : {}
}

/** The form of a source. */
export interface SourceWish {
  link: string
  title: string
  workflow: string
  priority: Source['priority']
  pages: string
  backfill: 'none' | 'page' | 'count'
  count: string
  /** When it is looked at; empty: only by hand. */
  cron: string
}

/** The form of a new source, or of one that is there. */
export function sourceWish(source?: Source): SourceWish {
  return {
    link: source?.link ?? '',
    title: source?.title ?? '',
    workflow: source?.workflow ?? 'transcribe',
    priority: source?.priority ?? 'normal',
    pages: String(source?.pages ?? 1),
    backfill: 'page',
    count: '10',
    cron: '0 */6 * * *',
  }
}

/** What is asked for when it is followed. */
export function newSource(wish: SourceWish, params: Record<string, unknown>): NewSource {
  return {
    link: wish.link.trim(),
    workflow: wish.workflow,
    priority: wish.priority,
    pages: Number(wish.pages),
    backfill: wish.backfill === 'count' ? Number(wish.count) : wish.backfill,
    ...(Object.keys(params).length && { params }),
    ...(wish.title.trim() && { title: wish.title.trim() }),
  } as NewSource
}

/** The schedule that looks at it, as its form asks for it. */
export function sourceSchedule({ id, title }: Source, cron: string, tz: string): NewSchedule {
  return newSchedule({ ...scheduleWish(tz), target: 'source', source: String(id), name: title, cron }, {})
}

/** What is asked for when it is changed. */
export function sourceChange(wish: SourceWish, params: Record<string, unknown>): SourceChange {
  const { workflow, priority } = wish
  return { workflow, priority, params, pages: Number(wish.pages), ...(wish.title.trim() && { title: wish.title.trim() }) } as SourceChange
}

/** Whether a text is a whole number within bounds. */
export function isWhole(text: string, least: number, most: number): boolean {
  return /^\d+$/.test(text.trim()) && Number(text) >= least && Number(text) <= most
}
