// Files in pieces (tus 1.0): what has arrived stays when the connection breaks or the daemon dies.

import { link, problem, Trouble } from './api'
import { signedIn } from './session.svelte'

const VERSION = { 'tus-resumable': '1.0.0' }
/** The size of a piece: small enough to be sent again, large enough not to slow anything down. */
export const PIECE = 8 * 1024 * 1024

type Answer = { status: number; header: (name: string) => string | null; body: string }

function request(method: string, address: string, headers: Record<string, string>, body: Blob | null, watch: { sent?: (bytes: number) => void; stop: AbortSignal }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // fetch cannot tell how much of a body has gone.
    const call = new XMLHttpRequest()
    const stop = () => call.abort()
    call.open(method, address)
    for (const [name, value] of Object.entries({ ...VERSION, ...headers })) call.setRequestHeader(name, value)
    call.upload.onprogress = (event) => watch.sent?.(event.loaded)
    call.onload = () => resolve({ status: call.status, header: (name) => call.getResponseHeader(name), body: call.responseText })
    call.onerror = () => reject(new Trouble('offline', '', ''))
    call.onabort = () => reject(new DOMException('stopped', 'AbortError'))
    call.onloadend = () => watch.stop.removeEventListener('abort', stop)
    if (watch.stop.aborted) return reject(new DOMException('stopped', 'AbortError'))
    watch.stop.addEventListener('abort', stop)
    call.send(body)
  })
}

async function asked(...call: Parameters<typeof request>): Promise<Answer> {
  for (;;) {
    const answer = await request(...call)
    if (answer.status < 300) return answer
    if (answer.status === 401) {
      await signedIn()
      continue
    }
    let body: unknown = null
    try {
      body = JSON.parse(answer.body)
    } catch {
      // A proxy's words.
    }
    throw problem(body, new Response(null, { status: answer.status, headers: { 'x-request-id': answer.header('x-request-id') ?? '' } }))
  }
}

/** A file's name as tus carries it. */
export function metadata(name: string): string {
  return `filename ${btoa(String.fromCharCode(...new TextEncoder().encode(name)))}`
}

/** Begins an upload and returns its id. */
export async function begin(file: File, stop: AbortSignal): Promise<string> {
  const headers = { 'upload-length': String(file.size), 'upload-metadata': metadata(file.name) }
  const answer = await asked('POST', link('api/uploads'), headers, null, { stop })
  return answer.header('location')?.split('/').pop() ?? ''
}

/** How many bytes of an upload are on the daemon's disk. */
export async function offset(id: string, stop: AbortSignal): Promise<number> {
  return Number((await asked('HEAD', link(`api/uploads/${id}`), {}, null, { stop })).header('upload-offset') ?? 0)
}

/** Sends the piece that begins at `from` and returns where the next one begins. */
export async function piece(id: string, file: File, from: number, stop: AbortSignal, sent: (bytes: number) => void): Promise<number> {
  const headers = { 'upload-offset': String(from), 'content-type': 'application/offset+octet-stream' }
  const answer = await asked('PATCH', link(`api/uploads/${id}`), headers, file.slice(from, from + PIECE), { stop, sent: (bytes) => sent(from + bytes) })
  return Number(answer.header('upload-offset') ?? from)
}

/** Gives an upload up; what cannot be given up now goes after a day by itself. */
export async function giveUp(id: string): Promise<void> {
  await request('DELETE', link(`api/uploads/${id}`), {}, null, { stop: new AbortController().signal }).catch(() => undefined)
}
