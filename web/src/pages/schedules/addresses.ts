/** Where a page stands now that had its address in the query before (`schedules?id=7`, `schedules?view=sources&id=3`); null for others. */
export function formerly(path: string, query: URLSearchParams): string | null {
  if (path !== 'schedules') return null
  const id = Number(query.get('id')) || ''
  const place = query.get('view') === 'sources' ? 'sources' : id && 'schedules'
  return place ? `${place}${id && `/${id}`}` : null
}
