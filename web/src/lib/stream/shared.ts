// The worker that all tabs share: one connection for as many tabs as somebody opens. A browser allows six to one address, and each
// tab with a stream of its own would take one for ever.

import { Feed, type Connection } from './feed'
import type { StreamEvent } from './parse'

/** From a tab: here I am, try at once, I am going. */
export type Asked = { hello: string } | { again: true } | { bye: true }
/** To a tab. */
export type Told = { connection: Connection } | { events: StreamEvent[] }

const tabs = new Set<MessagePort>()
let feed: Feed | null = null
let connection: Connection = 'connecting'

const tell = (message: Told) => tabs.forEach((tab) => tab.postMessage(message))

function joined(tab: MessagePort, address: string): void {
  tabs.add(tab)
  tab.postMessage({ connection } satisfies Told)
  feed ??= new Feed(
    address,
    (events) => tell({ events }),
    (now) => tell({ connection: (connection = now) }),
  )
  feed.start()
}

addEventListener('connect', (event) => {
  const tab = (event as MessageEvent).ports[0]!
  tab.onmessage = ({ data }: MessageEvent<Asked>) => {
    if ('hello' in data) joined(tab, data.hello)
    else if ('again' in data) feed?.again()
    else {
      tabs.delete(tab)
      if (tabs.size === 0) feed?.stop()
    }
  }
})
