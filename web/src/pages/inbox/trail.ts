import { api, ask } from '../../lib/api'
import { Trail } from '../../lib/trail'

/** The list as the inbox left it: what the keys of a task go through. */
export const trail = new Trail(async (filter, next) => {
  const page = await ask(api.GET('/api/tasks', { params: { query: { ...filter, limit: 200, cursor: next ?? undefined } } }))
  return { ids: page.items.map((task) => task.id), next: page.next_cursor ?? null }
})
