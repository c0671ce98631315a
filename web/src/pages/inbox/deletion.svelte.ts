// Tasks that somebody has deleted: they are out of sight at once, and gone when the time for taking it back is over.

import { SvelteSet } from 'svelte/reactivity'
import { api } from '../../lib/api'
import { keep, kept } from '../../lib/keep'

const hidden = new SvelteSet<number>(JSON.parse(kept('deleted') ?? '[]') as number[])

/** Tasks that are not shown any more. */
export const deleted: ReadonlySet<number> = hidden

const remember = () => keep('deleted', hidden.size ? JSON.stringify([...hidden]) : null)

/** Takes tasks out of sight. */
export function hide(ids: number[]): void {
  for (const id of ids) hidden.add(id)
  remember()
}

/** Shows them again. */
export function restore(ids: number[]): void {
  for (const id of ids) hidden.delete(id)
  remember()
}

/** Deletes them. Returns those that are gone, and what went wrong with the first that is not. */
export async function destroy(ids: number[]): Promise<{ gone: number[]; trouble: unknown; answer?: Response }> {
  const gone: number[] = []
  let [trouble, at]: [unknown, Response | undefined] = [null, undefined]
  for (const id of ids) {
    const { error, response } = await api.DELETE('/api/tasks/{id}', { params: { path: { id } } }).catch((error: unknown) => ({ error, response: undefined }))
    if (response && (response.ok || response.status === 404)) gone.push(id)
    else [trouble, at] = [trouble ?? error, at ?? response]
  }
  return { gone, trouble, answer: at }
}

/** What was deleted when the page was closed before its time. */
export const unfinished = () => [...hidden]
