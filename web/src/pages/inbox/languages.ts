/** Languages that the models hear, those of most people first. */
export const languages = [
  'en', 'zh', 'yue', 'es', 'hi', 'ar', 'pt', 'ru', 'ja', 'de', 'fr', 'ko', 'it', 'tr', 'vi', 'pl', 'uk', 'nl', 'id', 'th', 'fa', 'cs', 'sv',
  'ro', 'hu', 'el', 'he', 'da', 'fi', 'no', 'bg', 'sk', 'hr', 'ca', 'ms', 'ta', 'bn', 'ur', 'tl', 'sr', 'sl', 'lt', 'lv', 'et', 'te', 'mr', 'sw',
]

/** A language's name in the language of the page. */
export function languageName(code: string, locale: string): string {
  return new Intl.DisplayNames(locale, { type: 'language', fallback: 'code' }).of(code) ?? code
}
