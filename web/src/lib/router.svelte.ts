// Addresses and pages. What somebody looks at is in the address: it can be shared, and Back goes back.

import { tick, type Component } from 'svelte'
import { notFound, routes, type Load } from '../routes'
import { base, link, Trouble } from './api'
import { back, enter } from './places'

const state = $state({
  path: '',
  params: {} as Record<string, string>,
  query: new URLSearchParams(),
  loading: false,
  trouble: null as Trouble | null,
})
let view: Component<any> | null = $state.raw(null)
let turn = 0
let hasFailed = false

/** Where the page is: `path` below the base, `params` of the address, `query`, `view` (the component), `loading`, `trouble`. */
export const route = {
  get path() { return state.path },
  get params() { return state.params },
  get query() { return state.query },
  get view() { return view },
  get loading() { return state.loading },
  get trouble() { return state.trouble },
}

/** Goes to an address: `go('tasks/7')`, relative to the base. */
export async function go(to: string, replace = false): Promise<void> {
  const url = new URL(to, document.baseURI)
  if (url.href !== location.href) enter(url, replace)
  await sync()
  if (!replace && !url.hash) scrollTo(0, 0)
}

/** Changes parts of the query: null takes a part away. Replaces the entry of the history unless `push` is true. */
export function query(changes: Record<string, string | number | null>, push = false): void {
  const url = new URL(location.href)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') url.searchParams.delete(name)
    else url.searchParams.set(name, String(value))
  }
  if (url.href === location.href) return
  enter(url, !push)
  state.query = url.searchParams
}

/** Shows the page of the address that stands in the browser. The page before stays until the code is here. */
export async function sync(): Promise<void> {
  const mine = ++turn
  const path = within(location.pathname)
  const query = new URLSearchParams(location.search)
  const hit = routes.map(([pattern, load]) => ({ load, match: pattern.exec(path) })).find((entry) => entry.match)
  state.loading = true
  const loaded = await code(hit?.load ?? notFound)
  if (mine !== turn) return
  state.loading = false
  state.params = Object.fromEntries(Object.entries(hit?.match?.groups ?? {}).filter((entry) => entry[1] !== undefined))
  state.path = path
  state.query = query
  state.trouble = loaded instanceof Trouble ? loaded : null
  if (!(loaded instanceof Trouble)) view = loaded
}

/** A page's code, or why it cannot be had: there is no daemon, or one of another version, which has other code. */
async function code(load: Load): Promise<Component<any> | Trouble> {
  try {
    if (hasFailed) await styles()
    hasFailed = false
    return (await load()).default
  } catch {
    hasFailed = true
    const isThere = await fetch(link('health')).then(({ ok }) => ok, () => false)
    return isThere ? new Trouble('outdated', '', '') : new Trouble('offline', '', '')
  }
}

/** Style sheets that could not be had are not asked for a second time by what the bundler writes. */
async function styles(): Promise<void> {
  const failed = [...document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]')].filter(({ sheet }) => !sheet)
  await Promise.all(
    failed.map((old) => {
      const fresh = document.createElement('link')
      fresh.rel = 'stylesheet'
      fresh.href = old.href
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      fresh.onload = resolve
      fresh.onerror = reject
      old.replaceWith(fresh)
      return promise
    }),
  )
}

function within(pathname: string): string {
  const path = pathname.startsWith(base) ? pathname.slice(base.length) : ''
  try {
    return decodeURI(path).replace(/\/+$/, '')
  } catch {
    return path
  }
}

/** An attachment: clicks on links of this page inside `node` change the page without loading it anew. */
export function links(node: HTMLElement): () => void {
  const click = (event: MouseEvent) => {
    const anchor = (event.target as Element).closest('a')
    if (!anchor || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    if (anchor.target || anchor.hasAttribute('download') || anchor.hasAttribute('data-leave')) return
    if (anchor.origin !== location.origin || !anchor.pathname.startsWith(base) || anchor.getAttribute('href')?.startsWith('#')) return
    if (/^(api|docs|openapi\.json|metrics)(\/|$)/.test(anchor.pathname.slice(base.length))) return
    event.preventDefault()
    void go(anchor.href)
  }
  const went = () => {
    const scroll = back()
    void sync().then(tick).then(scroll)
  }
  node.addEventListener('click', click)
  addEventListener('popstate', went)
  return () => {
    node.removeEventListener('click', click)
    removeEventListener('popstate', went)
  }
}
