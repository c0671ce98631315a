/** The values of a text's places. */
export type Values = Record<string, string | number>

const rules = new Map<string, Intl.PluralRules>()
const numbers = new Map<string, Intl.NumberFormat>()

/**
 * Fills a text's places: `{name}`, and by number `{n|one:# task|other:# tasks}`, where `#` is the number as the language writes it.
 * A place without a value becomes empty.
 */
export function fill(text: string, values: Values, locale: string): string {
  return text.replace(/\{(\w+)(?:\|([^}]+))?\}/g, (_, name: string, forms?: string) => {
    const value = values[name]
    if (!forms) return typeof value === 'number' ? written(value, locale) : (value ?? '')
    const rule = rules.get(locale) ?? new Intl.PluralRules(locale)
    rules.set(locale, rule)
    const table = Object.fromEntries(forms.split('|').map((form) => [form.slice(0, form.indexOf(':')), form.slice(form.indexOf(':') + 1)]))
    return (table[rule.select(Number(value))] ?? table.other ?? '').replace('#', written(Number(value), locale))
  })
}

function written(value: number, locale: string): string {
  const format = numbers.get(locale) ?? new Intl.NumberFormat(locale)
  numbers.set(locale, format)
  return format.format(value)
}
