// Workflows that come with trawl have their titles in English only: other languages come when they are wanted.

import { language } from './i18n.svelte'

let known: Record<string, Record<string, string>> = $state.raw({})
let asked = false

/** A workflow's title in the language of the page; what somebody has written stays as it is. */
export function titled(title: string): string {
  if (!asked && language() !== 'en') {
    asked = true
    import('../locales/apart/titles').then((texts) => (known = texts.default), () => (asked = false))
  }
  return known[language()]?.[title] ?? title
}
