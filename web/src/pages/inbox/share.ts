// What a pasted text holds. Only for the chips: the daemon decides what becomes of it.

/** A link in a text, and the line that it stands in. */
export type Found = { line: number; link: string; place: string }

// As the daemon reads them (crawlers/src/link.rs). CJK marks end a link in share texts, where no blank follows it.
const END = String.raw`\s\p{Cc}\u200b-\u200f\u2060\ufeff<>"'\x60，。；！？、：（）【】《》「」『』“”‘’`
const BARE = String.raw`(?:(?:v|www|m|jx|jingxuan)\.douyin|(?:v|www)\.iesdouyin|(?:vm|vt|www|m)\.tiktok)\.com\/`
const LINK = new RegExp(`(?:https?://|(?<![\\w./\\-@:%=])${BARE})[^${END}]+`, 'giu')
/** A whole line without a scheme is a link that was copied from somewhere that hides it. */
const WHOLE = new RegExp(`^(?:[a-z0-9\\-]+\\.)+[a-z]{2,}(?::\\d{1,5})?/[^${END}]*$`, 'iu')
/** What is glued to a link in share texts. */
const GLUED = ['复制此链接', '复制链接', '复制打开', '打开抖音']
const OPENED: Record<string, string> = { ')': '(', ']': '[', '}': '{' }
const PLACES: [string, RegExp][] = [
  ['douyin', /(^|\.)(douyin|iesdouyin)\.com$/],
  ['tiktok', /(^|\.)tiktok\.com$/],
  ['bilibili', /(^|\.)(bilibili\.com|b23\.tv)$/],
  ['youtube', /(^|\.)(youtube\.com|youtu\.be|youtube-nocookie\.com)$/],
  ['xiaohongshu', /(^|\.)(xiaohongshu|xhslink)\.com$/],
  ['vimeo', /(^|\.)vimeo\.com$/],
  ['soundcloud', /(^|\.)soundcloud\.com$/],
  ['instagram', /(^|\.)instagram\.com$/],
  ['x', /(^|\.)(x|twitter)\.com$/],
]

/** Every link of a text, each once. */
export function links(text: string): Found[] {
  const found = new Map<string, Found>()
  text.split('\n').forEach((words, index) => {
    const whole = words.trim()
    const raw = WHOLE.test(whole) ? [whole] : [...words.matchAll(LINK)].map(([match]) => match)
    for (const link of raw.map(trimmed)) {
      const place = placeOf(link)
      if (place && !found.has(link)) found.set(link, { line: index + 1, link, place })
    }
  })
  return [...found.values()]
}

/** A link without what belongs to the sentence around it. */
function trimmed(raw: string): string {
  const glued = GLUED.map((words) => raw.indexOf(words)).filter((at) => at >= 0)
  const link = raw.slice(0, Math.min(raw.length, ...glued))
  const count = (mark: string) => link.split(mark).length
  const last = link.slice(-1)
  const isSurplus = OPENED[last] ? count(last) > count(OPENED[last]) : last !== '' && '.,;:!?'.includes(last)
  return isSurplus ? trimmed(link.slice(0, -1)) : link
}

/** Where a link leads: a platform's name, else the host. */
export function placeOf(link: string): string | null {
  try {
    const host = new URL(/^https?:/i.test(link) ? link : `https://${link}`).hostname.toLowerCase()
    return PLACES.find(([, pattern]) => pattern.test(host))?.[0] ?? host.replace(/^www\./, '')
  } catch {
    return null
  }
}

/** How many links lead where, the most first. */
export function places(found: Found[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const { place } of found) counts.set(place, (counts.get(place) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])
}

/** A text without some of its lines (numbers from 1), and those lines. */
export function split(text: string, lines: number[]): { taken: string; left: string[] } {
  const all = text.split('\n')
  return {
    taken: all.filter((_, index) => !lines.includes(index + 1)).join('\n'),
    left: lines.map((line) => all[line - 1] ?? ''),
  }
}

/** A text without some of its links; lines that hold nothing else go with them. */
export function without(text: string, known: ReadonlySet<string>): string {
  const lines = text.split('\n').map((line) => {
    const found = links(line)
    if (!found.length || found.every(({ link }) => !known.has(link))) return line
    if (found.every(({ link }) => known.has(link))) return null
    return found.reduce((rest, { link }) => (known.has(link) ? rest.replaceAll(link, ' ') : rest), line)
  })
  return lines.filter((line) => line !== null).join('\n')
}
