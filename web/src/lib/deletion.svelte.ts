// Tasks that somebody has deleted: out of sight at once, and gone when the time for taking it back is over, on whatever page that is.

import { SvelteMap } from 'svelte/reactivity'
import { toast } from '../ui/toasts.svelte'
import { api, problem, type Trouble } from './api'
import { t } from './i18n.svelte'
import { keep, kept } from './keep'
import { look } from './overview.svelte'
import type { Task } from './schema'

type Status = Task['status']
/** A task that is out of sight: until when that can be taken back (milliseconds of Date.now(); 0: it is gone), and what it was when it went. */
type Hidden = { until: number; status: Status }

const TIME = 10_000
/** The tab that has the way back goes first. */
const LATER = 1_000

const hidden = new SvelteMap<number, Hidden>(read())
/** Those whose way back is offered in this tab. */
const mine = new Set<number>()
let failure: Trouble | null = $state.raw(null)

/** Tasks that are not shown any more. */
export const deleted: ReadonlyMap<number, Hidden> = hidden
/** Why the last deletion was not done. */
export const notDeleted = () => failure
/** How many of those that are out of sight the daemon still counts, in one state or in all. */
export const stillCounted = (status?: Status, among: (id: number) => boolean = () => true): number =>
  [...hidden].filter(([id, task]) => task.until && (!status || task.status === status) && among(id)).length

/** Deletes tasks, with a way back for ten seconds. */
export function remove(tasks: Pick<Task, 'id' | 'status'>[]): void {
  const ids = tasks.map(({ id }) => id)
  failure = null
  for (const { id, status } of tasks) {
    hidden.set(id, { until: Date.now() + TIME, status })
    mine.add(id)
  }
  remember()
  toast(t('inbox.deleted', { n: ids.length }), { undo: () => show(ids), gone: () => void destroy(ids), ms: TIME })
}

function show(ids: number[]): void {
  for (const id of ids) {
    hidden.delete(id)
    mine.delete(id)
  }
  remember()
}

async function destroy(ids: number[]): Promise<void> {
  const gone: number[] = []
  for (const id of ids) {
    const call = api.DELETE('/api/tasks/{id}', { params: { path: { id } }, keepalive: true })
    const { error, response } = await call.catch((error: unknown) => ({ error, response: undefined }))
    if (response?.ok || response?.status === 404) gone.push(id)
    else failure ??= problem(error, response)
  }
  // The counts are read anew first: they must not jump back for a moment. What is gone stays out of sight, however late lists hear it.
  await look()
  show(ids.filter((id) => !gone.includes(id)))
  for (const id of gone) {
    mine.delete(id)
    hidden.set(id, { until: 0, status: 'cancelled' })
  }
  remember()
}

function read(): [number, Hidden][] {
  try {
    return (JSON.parse(kept('deleted') ?? '[]') as [number, Hidden][]).filter((entry) => typeof entry[1]?.until === 'number')
  } catch {
    return []
  }
}
function remember(): void {
  const open = [...hidden].filter(([, { until }]) => until)
  keep('deleted', open.length ? JSON.stringify(open) : null)
}

/** Does what nobody is there for: its tab was closed. */
function finish(): void {
  for (const [id, { until }] of hidden) {
    if (until && !mine.has(id)) setTimeout(() => hidden.get(id)?.until === until && void destroy([id]), Math.max(0, until - Date.now()) + LATER)
  }
}
finish()
addEventListener('storage', ({ key }) => {
  if (key !== 'trawl.deleted') return
  const now = new Map(read())
  for (const [id, { until }] of [...hidden]) if (until && !now.has(id) && !mine.has(id)) hidden.delete(id)
  for (const [id, task] of now) if (!hidden.has(id)) hidden.set(id, task)
  finish()
})
