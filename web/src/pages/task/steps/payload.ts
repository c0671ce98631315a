/** What is larger is not drawn, in characters of JSON. */
export const largest = 64 * 1024

/** A value as text; null where it is too large to be drawn. */
export function shown(value: unknown): { text: string | null; size: number } {
  const text = JSON.stringify(value, null, 2) ?? ''
  return { text: text.length > largest ? null : text, size: text.length }
}

const field = (value: unknown, name: string): unknown => (value && typeof value === 'object' && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined)

/** How a step is written in its workflow. The halves of a step (`text:extract`) and the items of a list (`each[3]`) are that step. */
export function definitionOf(workflow: unknown, key: string): unknown {
  const name = key.replace(/[:[].*$/s, '')
  const definition = field(workflow, 'definition')
  return field(field(definition, 'steps'), name) ?? field(field(definition, 'on_error'), name) ?? null
}
