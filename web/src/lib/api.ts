// The one way to the daemon: a client with the types of docs/openapi.json.

import createClient from 'openapi-fetch'
import type { paths } from './schema'
import { signedIn } from './session.svelte'

/** Where the page stands: an address that ends with a slash. <base href> says it. */
export const root = new URL('.', document.baseURI)

/** The path of {@link root}, with a slash at both ends. */
export const base = root.pathname

/** The address of something of the daemon: `link('api/tasks/1/media')`; a path that begins with a slash is taken from the base. */
export function link(path: string): string {
  return new URL(path.replace(/^\/+/, ''), root).href
}

/** A failure in words. */
export class Trouble extends Error {
  override name = 'Trouble'
  constructor(
    /** A word of docs/errors.md, or `offline` (no answer), `unknown` (an answer in no shape that we know). */
    readonly code: string,
    /** What has happened. */
    readonly detail: string,
    /** What to do about it. */
    readonly hint: string,
    readonly status = 0,
    /** The field that is wrong. */
    readonly field?: string,
    /** What the daemon's log calls the request. */
    readonly request?: string,
    /** Everything that is wrong with a workflow's definition. */
    readonly problems: unknown[] = [],
  ) {
    super(detail)
  }
}

type Body = { code?: string; detail?: string; hint?: string; title?: string; field?: string; problems?: unknown[]; error?: Body }

/** Any failure in words: an error's body with its answer, or whatever was thrown. */
export function problem(error: unknown, answer?: Response): Trouble {
  if (error instanceof Trouble) return error
  const request = answer?.headers.get('x-request-id') ?? undefined
  const body = error && typeof error === 'object' && !(error instanceof Error) ? (error as Body) : null
  if (body?.code && body.detail)
    return new Trouble(body.code, body.detail, body.hint ?? '', answer?.status, body.field, request, body.problems)
  // A proxy answers so while the daemon is away.
  if (answer && (answer.status === 502 || answer.status === 503 || answer.status === 504))
    return new Trouble('offline', '', '', answer.status, undefined, request)
  if (answer) return new Trouble('unknown', answer.statusText || `HTTP ${answer.status}`, '', answer.status, undefined, request)
  if (error instanceof TypeError) return new Trouble('offline', '', '')
  return new Trouble('unknown', error instanceof Error ? error.message : String(error), '')
}

/**
 * Sends a request. Where the daemon asks who calls, the sign-in dialog opens and the request is sent again after it: what somebody
 * was doing goes on, and nothing typed is lost.
 */
export async function send(request: Request): Promise<Response> {
  for (;;) {
    const answer = await fetch(request.clone())
    if (answer.status !== 401 || new URL(request.url).pathname === `${base}api/session`) return answer
    await signedIn()
  }
}

/** The typed client: `api.GET('/api/tasks/{id}', { params: { path: { id } } })`. */
export const api = createClient<paths>({ baseUrl: root.href.replace(/\/$/, ''), fetch: send })

/** What a call answered, or {@link Trouble} is thrown: `const list = await ask(api.GET('/api/tasks'))`. */
export async function ask<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call.catch((thrown: unknown) => {
    throw problem(thrown)
  })
  if (!response.ok) throw problem(error, response)
  return data as T
}
