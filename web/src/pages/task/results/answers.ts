// What language models made of a task, by what it looks like.

import type { Step } from '../../../lib/schema'

/** A chapter. */
export type Chapter = { start: number; title: string; summary: string }

/** One step's result, in the shape in which it is shown. */
export type Answer = { key: string; step: Step } & (
  | { kind: 'chapters'; chapters: Chapter[] }
  | { kind: 'keywords'; words: string[] }
  | { kind: 'facts'; facts: [string, string][] }
  | { kind: 'text'; text: string }
  | { kind: 'file'; path: string; format: string }
  | { kind: 'large' }
)

const record = (value: unknown): Record<string, unknown> | null =>
  value && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : null

function chapters(value: unknown): Chapter[] | null {
  if (!Array.isArray(value) || value.length === 0) return null
  const made = value.map((each) => {
    const fields = record(each)
    if (!fields || typeof fields.start !== 'number' || typeof fields.title !== 'string') return null
    return { start: fields.start, title: fields.title, summary: typeof fields.summary === 'string' ? fields.summary : '' }
  })
  return made.every((each) => each !== null) ? made : null
}

const written = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** What a step has to show; null for steps whose result is no reading. */
export function answer(step: Step): Answer | null {
  if (step.state !== 'succeeded' || (step.kind !== 'llm' && step.kind !== 'subtitle')) return null
  const about = { key: step.key, step }
  if (step.output_truncated) return { ...about, kind: 'large' }
  const output = record(step.output)
  if (!output) return null
  if (step.kind === 'subtitle') {
    if (typeof output.file !== 'string' || !/^\/?[^:]*$/.test(output.file) || output.file.startsWith('//')) return null
    return { ...about, kind: 'file', path: output.file, format: written(output.format ?? '') }
  }
  const json = record(output.json)
  const found = chapters(json?.chapters)
  if (found) return { ...about, kind: 'chapters', chapters: found }
  if (Array.isArray(json?.keywords) && json.keywords.every((word) => typeof word === 'string')) return { ...about, kind: 'keywords', words: json.keywords as string[] }
  if (json) return { ...about, kind: 'facts', facts: Object.entries(json).map(([name, value]) => [name, written(value)]) }
  if (typeof output.text === 'string' && output.text.trim()) return { ...about, kind: 'text', text: output.text }
  return null
}
