// What can be taken along, and how subtitles are laid out.

import type { Script } from './script'

/** The formats of the API. */
export const formats = ['txt', 'srt', 'vtt', 'tsv', 'lrc', 'md', 'json'] as const
/** One of {@link formats}. */
export type Format = (typeof formats)[number]

/** What somebody chose; null leaves it as it is. */
export type Choice = {
  format: Format
  script: Script | null
  maxChars: number | null
  maxLines: number | null
  maxSeconds: number | null
  maxCps: number | null
  words: boolean
}

/** The choice that is there at first. */
export const plain: Choice = { format: 'srt', script: null, maxChars: null, maxLines: null, maxSeconds: null, maxCps: null, words: false }

/** What the API takes, by field. */
export const limits = { maxChars: [8, 200], maxLines: [1, 6], maxSeconds: [0.5, 60], maxCps: [1, 100] } as const
/** A field with limits. */
export type Limited = keyof typeof limits

/** Whether cues of a format can be laid out anew. */
export const hasLayout = (format: Format): boolean => ['srt', 'vtt', 'tsv', 'lrc'].includes(format)
/** Whether a format can mark words. */
export const hasWords = (format: Format): boolean => format === 'vtt' || format === 'lrc'

/** The fields that the API would refuse. */
export function wrong(choice: Choice): Limited[] {
  if (!hasLayout(choice.format)) return []
  return (Object.keys(limits) as Limited[]).filter((name) => {
    const value = choice[name]
    const [least, most] = limits[name]
    const isWhole = name === 'maxChars' || name === 'maxLines'
    return value !== null && !(value >= least && value <= most && (!isWhole || Number.isInteger(value)))
  })
}

/** The address's query for a choice. */
export function query(choice: Choice): string {
  const parts = new URLSearchParams({ format: choice.format })
  if (choice.script) parts.set('zh', choice.script)
  if (hasLayout(choice.format)) {
    const fields = { max_chars: choice.maxChars, max_lines: choice.maxLines, max_seconds: choice.maxSeconds, max_cps: choice.maxCps }
    for (const [name, value] of Object.entries(fields)) if (value !== null) parts.set(name, String(value))
  }
  if (hasWords(choice.format) && choice.words) parts.set('words', 'true')
  return parts.toString()
}

/** A name for the saved file: the title without what file systems refuse. */
export function fileName(title: string, id: number, format: Format): string {
  const safe = title.replace(/[\u0000-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069<>:"/\\|?*]+/g, ' ').replace(/\s+/g, ' ').replace(/^[. ]+/, '')
  return `${[...safe].slice(0, 80).join('').replace(/[. ]+$/, '') || 'transcript'} [${id}].${format}`
}
