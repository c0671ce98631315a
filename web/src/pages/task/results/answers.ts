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

/** What is read first. Everything else follows in the workflow's order, and files to take along come last. */
const first = ['title', 'summary', 'chapters', 'keywords', 'actions', 'sentiment']
const rank = ({ key, kind }: Step) => (kind === 'subtitle' ? first.length + 1 : first.includes(key) ? first.indexOf(key) : first.length)

/** The steps that make something to read, in the order in which it is read; `answer` is null while it is not there yet. Each has its
 * place from the beginning, so that one that comes moves no other. */
export function inOrder(steps: readonly Step[]): { step: Step; answer: Answer | null }[] {
  const isComing = ({ kind, state }: Step) => kind === 'llm' && ['blocked', 'ready', 'running', 'waiting'].includes(state)
  return steps
    .filter((step) => step.index == null || answer(step))
    .map((step) => ({ step, answer: answer(step) }))
    .filter((each) => each.answer !== null || isComing(each.step))
    .sort((one, other) => rank(one.step) - rank(other.step))
}
