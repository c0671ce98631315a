// Who is signed in. A token is swapped for a cookie that scripts cannot read; the page keeps no token.

import { api, ask } from './api'

type Scope = 'read' | 'submit' | 'admin'

const state = $state({ asked: false, required: false, scopes: [] as Scope[], version: '', since: 0 })
let waiting: { promise: Promise<void>; done: () => void } | null = null

/** What is known of the caller. `asked`: the dialog is open. `since`: grows with each sign-in. */
export const session: Readonly<typeof state> = state

/** Opens the sign-in dialog and waits until somebody has signed in. */
export function signedIn(): Promise<void> {
  if (!waiting) {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting = { promise, done: resolve }
    state.asked = true
  }
  return waiting.promise
}

/** Swaps a token for a session; throws a Trouble when it is refused. Whoever waits goes on. */
export async function signIn(token: string): Promise<void> {
  await ask(api.POST('/api/session', { body: { token } }))
  state.asked = false
  state.since += 1
  waiting?.done()
  waiting = null
  await meet()
}

/** Ends the session in this browser. */
export async function signOut(): Promise<void> {
  await ask(api.DELETE('/api/session'))
  state.scopes = []
  await meet()
}

/** Asks the daemon who calls and what is allowed. */
export async function meet(): Promise<void> {
  const info = await ask(api.GET('/api/info'))
  state.required = info.access.token_required
  state.scopes = info.access.scopes
  state.version = info.version
}

/** Whether the caller may do what needs `scope`. True until it is known, so that nothing flickers. */
export function may(scope: Scope): boolean {
  return state.scopes.length === 0 || state.scopes.includes(scope) || state.scopes.includes('admin')
}
