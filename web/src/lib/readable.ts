import { inert } from '../transcript/script'

/** A link as people read it: without what all begin with, and with letters in place of the bytes that they are sent as. */
export function readable(link: string): string {
  const letters = link.replace(/^https?:\/\/(www\.)?/, '').replace(/(%[89a-f][\da-f])+/gi, (bytes) => {
    try {
      return decodeURIComponent(bytes)
    } catch {
      return bytes
    }
  })
  return inert(letters)
}
