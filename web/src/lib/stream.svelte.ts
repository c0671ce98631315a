// The daemon's events, in every tab over one connection.

import { link } from './api'
import { session, signedIn } from './session.svelte'
import { Feed, type Connection } from './stream/feed'
import type { StreamEvent } from './stream/parse'
import type { Asked, Told } from './stream/shared'
import workerAddress from './stream/shared?sharedworker&url'

export type { StreamEvent } from './stream/parse'
export type { Connection } from './stream/feed'

type Handler = (event: StreamEvent) => void
const handlers = new Set<Handler>()
const state = $state({ connection: 'connecting' as Connection, since: Date.now() })

/** `connecting`, `live`, `lost` (it tries again by itself), `refused` (somebody must sign in). */
export const connection = () => state.connection
/** Since when it has been so. */
export const connectionSince = () => state.since

/**
 * Calls `handler` for every event from now on; returns what ends it, so it can be what an effect returns:
 * `$effect(() => onEvent((event) => …))`. After an event of kind `gap` everything shown is to be read anew.
 */
export function onEvent(handler: Handler): () => void {
  handlers.add(handler)
  return () => handlers.delete(handler)
}

function told(message: Told): void {
  if ('events' in message) {
    for (const event of message.events) for (const handler of handlers) handler(event)
  } else if (message.connection !== state.connection) {
    state.connection = message.connection
    state.since = Date.now()
    if (message.connection === 'refused') void signedIn()
  }
}

type Source = { again: () => void; leave: () => void; back: () => void }

// The policy asks for addresses of workers by this name, and takes no others.
type Policy = { createScriptURL: (address: string) => string }
type Factory = { createPolicy: (name: string, rules: { createScriptURL: (address: string) => string }) => Policy }

function shared(): Source {
  const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes
  const address = new URL(workerAddress, import.meta.url).href
  const trusted = factory?.createPolicy('trawl-worker', { createScriptURL: (text) => text }).createScriptURL(address) ?? address
  const worker = new SharedWorker(trusted, { type: 'module', name: 'trawl' })
  const ask = (message: Asked) => worker.port.postMessage(message)
  worker.port.onmessage = ({ data }: MessageEvent<Told>) => told(data)
  const back = () => ask({ hello: link('api/events') })
  back()
  return { again: () => ask({ again: true }), leave: () => ask({ bye: true }), back }
}

/** Without a worker to share, a tab that nobody sees gives its connection away. */
function own(): Source {
  const feed = new Feed(link('api/events'), (events) => told({ events }), (connection) => told({ connection }))
  const watch = () => (document.hidden ? feed.stop() : feed.start())
  document.addEventListener('visibilitychange', watch)
  watch()
  return { again: () => feed.again(), leave: () => feed.stop(), back: watch }
}

/** Starts the stream; the shell does it once. */
export function startStream(): void {
  const source = 'SharedWorker' in globalThis ? shared() : own()
  addEventListener('online', source.again)
  addEventListener('pagehide', source.leave)
  addEventListener('pageshow', (event) => event.persisted && source.back())
  document.addEventListener('visibilitychange', () => !document.hidden && source.again())
  $effect.root(() => {
    $effect(() => {
      if (session.since > 0) source.again()
    })
  })
}
