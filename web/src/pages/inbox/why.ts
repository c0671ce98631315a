// Why a search found a task: its row says so where the title does not.

import { plain } from '../../palette/entries'

/** Where the words were found. */
export type Why = 'title' | 'link' | 'author' | 'said'

const HAN = /\p{Script=Han}/u

/** Where what was searched for stands; null where that cannot be told: the daemon finds Chinese in either script. */
export function why(words: string, task: { title?: string | null; link: string; author?: string | null }): Why | null {
  const wanted = plain(words).split(/\s+/).filter(Boolean)
  const has = (text: string | null | undefined) => wanted.every((word) => plain(text ?? '').includes(word))
  if (has(task.title)) return 'title'
  if (has(task.link)) return 'link'
  if (has(task.author)) return 'author'
  return HAN.test(words) && HAN.test(`${task.title}${task.author}`) ? null : 'said'
}
