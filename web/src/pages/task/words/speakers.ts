import type { Match } from '../../../transcript/find'
import type { Line } from '../../../transcript/lines'
import { prefix } from '../../../transcript/speakers'
import { light } from './lit'

/** Shows names as names. It waits for a pause in typing; returns what takes the wait away. */
export function markSpeakers(lines: readonly Line[], names: readonly { name: string }[]): () => void {
  const timer = setTimeout(() => {
    const known = new Set(names.map((each) => each.name))
    const marks = lines.flatMap((line): Match[] => {
      const found = known.size ? prefix(line.text) : null
      return found && known.has(found.name) ? [{ key: line.key, from: 0, to: found.length }] : []
    })
    light('speaker', marks)
  }, 250)
  return () => clearTimeout(timer)
}
