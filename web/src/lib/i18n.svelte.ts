// The page's words. English comes with the page; other languages come when they are wanted.

import en from '../locales/en'
import { keep, kept } from './keep'
import { fill, type Values } from './message'

/** The name of a text. */
export type Key = keyof typeof en
/** The texts of one language. */
export type Catalogue = Record<Key, string>

const loaders: Record<string, () => Promise<{ default: Catalogue }>> = {
  en: async () => ({ default: en }),
  'zh-CN': () => import('../locales/zh-CN'),
  'zh-TW': () => import('../locales/zh-TW'),
}
const state = $state({ language: 'en', locale: 'en' })
let texts: Catalogue = $state.raw(en)

/** The languages that there are, each by its own name. */
export const locales = { en: 'English', 'zh-CN': '简体中文', 'zh-TW': '繁體中文' }

type Language = keyof typeof locales

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
export async function loadLocale(wanted: string = pick(kept('locale'), navigator.languages)): Promise<void> {
  const load = loaders[wanted]
  if (!load) return
  texts = (await load()).default
  state.language = wanted
  state.locale = variant(wanted, navigator.languages)
  document.documentElement.lang = wanted
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
  return fill(texts[key], values, state.locale)
}

/** A text of `locales/apart`: of something rare, in all languages at once, so that it comes with what shows it. */
export function apart<K extends string>(of: Record<Language, Record<K, string>>, key: K, values: Values = {}): string {
  return fill(of[state.language as Language][key], values, state.locale)
}

/** The text of a name that is put together (`status.${word}`), or `otherwise` where there is none. */
export function maybe(key: string, otherwise: string, values: Values = {}): string {
  return key in texts ? t(key as Key, values) : otherwise
}
