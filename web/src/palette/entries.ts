// What the palette can find, and in which order. Pure: the page's words come in.

/** Something to choose: `id` is stable, `text` what is read, `more` what is shown beside it, `words` what else finds it. */
export type Entry = { id: string; group: 'pages' | 'tasks' | 'actions'; text: string; more?: string; words?: string; run: () => unknown }

/** A text as it is compared: without capitals, marks on letters, and wide forms. */
export const plain = (text: string): string =>
  text.normalize('NFKD').replace(/\p{Mn}/gu, '').toLowerCase().trim()

/** How well a text answers what was typed: the smaller the better, null for not at all. Every word must be in it. */
export function fit(typed: string, entry: Pick<Entry, 'text' | 'words'>): number | null {
  const wanted = plain(typed).split(/\s+/).filter(Boolean)
  const text = plain(entry.text)
  const all = `${text} ${plain(entry.words ?? '')}`
  let sum = 0
  for (const word of wanted) {
    const at = all.indexOf(word)
    if (at < 0) return null
    const begins = at === 0 || /[\s:：/·-]/.test(all[at - 1]!)
    sum += at >= text.length ? 4 : begins ? (at === 0 ? 0 : 1) : 2
  }
  return sum
}

/** Tasks were found by the daemon: those whose title has it come before those that hold it in their words. */
const byTitle = (typed: string, entry: Entry): number => (fit(typed, { text: entry.text }) === null ? 1 : 0)

/** The entries that answer what was typed, the best first within their group; groups keep their order. */
export function found(typed: string, entries: Entry[]): Entry[] {
  const groups = [...new Set(entries.map((entry) => entry.group))]
  return groups.flatMap((group) =>
    entries
      .filter((entry) => entry.group === group)
      .map((entry, place) => ({ entry, place, fit: group === 'tasks' ? byTitle(typed, entry) : fit(typed, entry) }))
      .filter((one): one is typeof one & { fit: number } => one.fit !== null)
      .sort((a, b) => a.fit - b.fit || a.place - b.place)
      .map((one) => one.entry),
  )
}

/** Whether what was typed is, or holds, a link: then it is for the inbox. */
export const isLink = (typed: string): boolean => /https?:\/\/\S+\.\S|https?:\/\/(localhost|\[)/i.test(typed)
