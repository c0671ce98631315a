// Where a task stands, in the words of a row. Pure: the texts come from outside.

import { percent, span } from '../../lib/format'
import type { Model, Report, Task } from '../../lib/schema'
import type { StreamEvent } from '../../lib/stream/parse'
import type { Tone } from '../../ui/Status.svelte'

/** What a task is at; a newer daemon tells it in lists, else it is put together from events. */
export type Current = {
  key: string
  kind?: string
  state?: string
  waits_for?: string
  position?: number
  progress: number
  error?: { code: string; detail: string; hint: string } | null
}
/** A task as lists and events tell of it. */
export type Row = Omit<Task, 'current'> & { current?: Current | null }
/** What a row shows. */
export type Standing = { tone: Tone; text: string; detail: string; hint: string; progress: number | null }
/** Looks a text up: its name, values, and what to say where there is none. */
export type Say = (key: string, otherwise: string, values?: Record<string, string | number>) => string

/** What the daemon writes of a recording in which nobody speaks. */
const SILENT = 'No speech was found'
const none = { detail: '', hint: '', progress: null }

/** Where a task stands. */
export function standing(task: Row, say: Say, locale: string): Standing {
  const report = task.error
  switch (task.status) {
    case 'completed': {
      const took = task.started_at && task.finished_at ? new Date(task.finished_at).getTime() - new Date(task.started_at).getTime() : null
      const text = took === null ? say('status.completed', '') : say('inbox.done-in', '', { time: span(took, locale) })
      const others = task.warnings.filter((warning) => warning !== SILENT)
      const isSilent = others.length < task.warnings.length
      return {
        ...none,
        tone: others.length ? 'warning' : 'done',
        text: isSilent ? say('inbox.no-words', SILENT) : text,
        detail: [text, ...task.warnings].join('\n'),
        hint: others.join(' · '),
      }
    }
    case 'failed':
      return {
        tone: 'failed',
        text: report ? say(`error.${report.code}`, report.detail) : say('status.failed', ''),
        detail: report?.detail ?? '',
        hint: report ? say(`hint.${report.code}`, report.hint) : '',
        progress: null,
      }
    case 'cancelled':
      return { ...none, tone: 'cancelled', text: say('status.cancelled', '') }
    default:
      return open(task, say, locale)
  }
}

function open(task: Row, say: Say, locale: string): Standing {
  const { waiting, current } = task
  if (waiting)
    return {
      tone: 'waiting',
      text: say(`waiting.${waiting.code}`, say(`error.${waiting.code}`, waiting.detail)),
      detail: waiting.detail,
      hint: say(`hint.${waiting.code}`, waiting.hint),
      progress: null,
    }
  if (task.held) return { ...none, tone: 'waiting', text: say('inbox.held', '') }
  if (task.status === 'queued' && current?.state !== 'running')
    return {
      ...none,
      tone: 'waiting',
      text: current?.position ? say('inbox.place', '', { place: current.position }) : say('status.queued', ''),
    }
  if (current?.waits_for === 'retry' && current.error)
    return {
      ...none,
      tone: 'waiting',
      text: say('inbox.again-soon', '', { what: say(`error.${current.error.code}`, current.error.detail) }),
      detail: current.error.detail,
      hint: say(`hint.${current.error.code}`, current.error.hint),
    }
  if (current && current.state !== 'running' && current.waits_for === 'turn')
    return { ...none, tone: 'waiting', text: current.position ? say('inbox.place', '', { place: current.position }) : say('status.queued', ''), progress: task.progress }
  const phase = current ? say(`kind.${current.kind ?? kindOf(task.workflow, current.key)}`, current.key) : say('status.processing', '')
  const part = current?.progress ? ` ${percent(current.progress, locale)}` : ''
  return { ...none, tone: 'running', text: phase + part, progress: current?.progress || task.progress }
}

/** How far the download of the model is that a report speaks of; null when it is not being downloaded. */
export function coming(report: Pick<Report, 'detail' | 'hint'>, models: Pick<Model, 'name' | 'pull'>[]): number | null {
  const names = new Set(`${report.detail} ${report.hint}`.split(/[\s`"“”,;]+/).map((word) => word.replace(/\.$/, '')))
  const pull = models.find(({ name, pull }) => pull?.state === 'running' && names.has(name))?.pull
  return pull ? (pull.total ? pull.received / pull.total : 0) : null
}

const kinds = new Map<string, string>()

/** What a step of a workflow does, as far as one like it has been seen: events tell names only. */
export function kindOf(workflow: string, key: string): string | undefined {
  return kinds.get(`${workflow} ${key.replace(/\[\d+\]$/, '')}`)
}

/** A task with its steps as a row without them: the step that runs is what it is at, and the kinds of its steps are remembered. */
export function asRow(task: Task): Row {
  for (const step of task.steps ?? []) kinds.set(`${task.workflow} ${step.key.replace(/\[\d+\]$/, '')}`, step.kind)
  const { steps, ...row } = { ...task, result: null } as Row
  const running = steps?.find((step) => step.state === 'running')
  return row.current || !running ? row : { ...row, current: { key: running.key, kind: running.kind, state: 'running', progress: running.progress } }
}

/** A row after an event; null when the event changes nothing of it. */
export function heard(row: Row, { kind, data }: StreamEvent): Row | null {
  if (kind === 'status') {
    const status = data.status as Row['status']
    return { ...row, status, error: (data.error as Row['error']) ?? null, waiting: (data.waiting as Row['waiting']) ?? null }
  }
  if (kind === 'step' && data.state === 'running') {
    const key = String(data.step)
    const current: Current = row.current?.key === key ? { ...row.current, state: 'running' } : { key, kind: kindOf(row.workflow, key), state: 'running', progress: 0 }
    return { ...row, current: { ...current, waits_for: undefined, position: undefined } }
  }
  if (kind === 'progress') {
    const key = String(data.step)
    const known = row.current?.key === key ? row.current : { key, kind: kindOf(row.workflow, key) }
    return { ...row, progress: Number(data.progress), current: { ...known, state: 'running', waits_for: undefined, progress: Number(data.step_progress) } }
  }
  return null
}
