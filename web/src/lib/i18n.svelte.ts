// The page's words. English comes with the page; other languages, and what few people come to, come when they are wanted.

import en from '../locales/en'
import type settings from '../locales/en/settings'
import { keep, kept } from './keep'
import { fill, type Values } from './message'

/** The name of a text. */
export type Key = keyof typeof en | keyof typeof settings
/** The texts of one language that come with the page. */
export type Catalogue = Record<keyof typeof en, string>

const loaders: Record<Part, Record<Language, () => Promise<{ default: object }>>> = {
  page: {
    en: async () => ({ default: en }),
    'zh-CN': () => import('../locales/zh-CN'),
    'zh-TW': () => import('../locales/zh-TW'),
  },
  settings: {
    en: () => import('../locales/en/settings'),
    'zh-CN': () => import('../locales/zh-CN/settings'),
    'zh-TW': () => import('../locales/zh-TW/settings'),
  },
}
const state = $state({ language: 'en', locale: 'en' })
let texts: Record<string, string> = $state.raw(en)
let wanted: Language = 'en'
const parts = new Set<Part>(['page'])

/** The languages that there are, each by its own name. */
export const locales = { en: 'English', 'zh-CN': '简体中文', 'zh-TW': '繁體中文' }

type Language = keyof typeof locales
type Part = 'page' | 'settings'

/** The page's language for somebody who reads `tag`. */
function languageOf(tag: string): Language | undefined {
  if (/^zh-(tw|hk|mo|hant)/i.test(tag)) return 'zh-TW'
  if (/^zh/i.test(tag)) return 'zh-CN'
  return /^en/i.test(tag) ? 'en' : undefined
}

/** The language for a list of what somebody reads, best first. */
export function pick(saved: string | null, read: readonly string[]): Language {
  if (saved && saved in locales) return saved as Language
  return read.map(languageOf).find((one) => one) ?? 'en'
}

/** The kind of a language that somebody reads: British dates are other ones than American. */
export const variant = (language: string, read: readonly string[]): string => read.find((tag) => languageOf(tag) === language) ?? language

/** Loads a language and shows the page in it. */
export async function loadLocale(name: string = pick(kept('locale'), navigator.languages)): Promise<void> {
  if (!(name in locales)) return
  wanted = name as Language
  await read()
}

/** Loads a page together with its texts. */
export async function bring<T>(part: Part, page: () => Promise<T>): Promise<T> {
  parts.add(part)
  return (await Promise.all([page(), read()]))[0]
}

async function read(): Promise<void> {
  const [language, count] = [wanted, parts.size]
  const all = await Promise.all([...parts].map((part) => loaders[part][language]()))
  // Another language, or one more part, is wanted meanwhile.
  if (language !== wanted || count !== parts.size) return read()
  texts = Object.assign({}, ...all.map((one) => one.default))
  state.language = language
  state.locale = variant(language, navigator.languages)
  document.documentElement.lang = language
}

/** Chooses a language and keeps the choice. */
export async function setLocale(wanted: string): Promise<void> {
  await loadLocale(wanted)
  keep('locale', wanted)
}

/** The language of the page: `en`, `zh-CN`, `zh-TW`. */
export const language = () => state.language

/** How numbers and dates are written in it: `en-GB`, `zh-HK`. */
export const locale = () => state.locale

/** A text of the page, its places filled in. */
export function t(key: Key, values: Values = {}): string {
  return fill(texts[key]!, values, state.locale)
}

/** A text of `locales/apart`: of something rare, in all languages at once, so that it comes with what shows it. */
export function apart<K extends string>(of: Record<Language, Record<K, string>>, key: K, values: Values = {}): string {
  return fill(of[state.language as Language][key], values, state.locale)
}

/** The text of a name that is put together (`status.${word}`), or `otherwise` where there is none. */
export function maybe(key: string, otherwise: string, values: Values = {}): string {
  return key in texts ? t(key as Key, values) : otherwise
}
