// Which language a text is in, as the browser wants it: Han characters look different in China, Taiwan and Japan.

/** The scripts of the API: as recognised, simplified, traditional, as in Taiwan, as in Hong Kong. */
export const scripts = ['none', 'hans', 'hant', 'tw', 'hk'] as const
/** One of {@link scripts}. */
export type Script = (typeof scripts)[number]

/** Whether a text names a script. */
export const isScript = (text: unknown): text is Script => scripts.includes(text as Script)

const tags: Record<Script, string | null> = { none: null, hans: 'zh-CN', hant: 'zh-TW', tw: 'zh-TW', hk: 'zh-HK' }

/** Whether the API converts the script of this language. */
export const hasScripts = (language: string | undefined): boolean => language === 'zh' || language === 'yue'

// Frequent characters that the other script writes in another way.
const simplified = /[这说时个们来对会国为发过还没让问见现样么经]/g
const traditional = /[這說時個們來對會國為發過還沒讓問見現樣麼經]/g

/** The tag for `lang`: `zh-CN`, `zh-TW`, `en`; nothing when the language is not known. */
export function tag(language: string | undefined, script: Script | null, sample: string): string | undefined {
  if (!language) return undefined
  if (!hasScripts(language)) return language
  const named = script && tags[script]
  if (named) return named
  const count = (pattern: RegExp) => sample.match(pattern)?.length ?? 0
  return count(traditional) > count(simplified) ? 'zh-TW' : 'zh-CN'
}

const openings = /[\u0000-\u0008\u000b-\u001f\u007f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/**
 * A stranger's text with everything that would turn its neighbours around taken out of effect. As long as it was, so that places in
 * it stay where they are.
 */
export const inert = (text: string): string => text.replace(openings, '\u2060')
