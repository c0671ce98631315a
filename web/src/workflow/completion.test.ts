import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { complete } from './completion'
import type { Language, Schema } from './schema'

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../../workflows/schema.json'), 'utf8')) as Schema
const properties = (names: Record<string, string>) => ({ properties: Object.fromEntries(Object.entries(names).map(([name, type]) => [name, { type }])) })
const language: Language = {
  schema,
  kinds: [
    { kind: 'transcribe', description: 'Turns speech into words.', with: properties({ media: 'string', language: 'string' }), output: { properties: { text: { type: 'string', description: 'Everything that is said.' }, segments: { type: 'array' } } }, secret_fields: [] },
    { kind: 'llm', description: 'Asks.', with: { properties: { prompt: { type: 'string' }, merge: { anyOf: [{ enum: ['reduce', 'join'] }, { type: 'null' }] } } }, output: { properties: { usage: properties({ tokens: 'integer' }) } }, secret_fields: [] },
    { kind: 'exec:<name>', description: 'Runs.', with: {}, output: {}, secret_fields: [] },
  ],
}
const names = { secrets: ['key'], workflows: ['transcribe', 'enrich'] }

/** What is offered where the text has a `|`, and the text after the first offer that begins with `take`. */
function at(marked: string, take?: string) {
  const offset = marked.indexOf('|')
  const text = marked.slice(0, offset) + marked.slice(offset + 1)
  const found = complete(text, offset, language, names)
  const option = found?.options.find(({ label }) => label === take)
  return {
    labels: found?.options.map(({ label }) => label) ?? [],
    options: found?.options ?? [],
    after: found && option ? text.slice(0, found.from) + option.insert + text.slice(found.to) : undefined,
  }
}

describe('fields', () => {
  it('offers those of the definition that are not there yet', () => {
    const { labels } = at('{"dsl": 1, |}')
    expect(labels).toContain('steps')
    expect(labels).not.toContain('dsl')
  })

  it('takes the place of what is typed, with and without quotes', () => {
    expect(at('{"ti|"}', 'title').after).toBe('{"title": ""}')
    expect(at('{ti|}', 'title').after).toBe('{"title": ""}')
    expect(at('{"ti|": "x"}', 'title').after).toBe('{"title": "x"}')
  })

  it('follows references, patterns and alternatives', () => {
    expect(at('{"steps": {"a": {"use": "llm", |}}}').labels).toEqual(expect.arrayContaining(['when', 'foreach', 'retry', 'timeout']))
    expect(at('{"steps": {"a": {"foreach": {|}}}}').labels).toContain('on_item_error')
    expect(at('{"triggers": [{"cron": "0 * * * *", |}]}').labels).toEqual(['tz', 'overlap', 'catchup', 'jitter', 'params'])
    expect(at('{"triggers": [{|}]}').labels).toEqual(expect.arrayContaining(['cron', 'event']))
    expect(at('{"params": {"x": {"type": "string", |}}}').labels).toEqual(['default', 'enum', 'description', 'max_length'])
  })

  it('knows what each kind takes', () => {
    expect(at('{"steps": {"a": {"use": "transcribe", "with": {|}}}}').labels).toEqual(['media', 'language'])
    expect(at('{"on_error": {"a": {"use": "llm", "with": {"|"}}}}').labels).toEqual(['prompt', 'merge'])
    expect(at('{"steps": {"a": {"use": "what", "with": {|}}}}').labels).toEqual([])
  })

  it('says which are needed and leaves the caret where one goes on', () => {
    const steps = at('{|}').options.find(({ label }) => label === 'steps')!
    expect(steps).toMatchObject({ detail: '*', insert: '"steps": {}', caret: 10 })
  })
})

describe('values', () => {
  it('offers the only ones', () => {
    expect(at('{"steps": {"a": {"on_error": "|"}}}').labels).toEqual(['fail', 'continue'])
    expect(at('{"steps": {"a": {"retry": {"on": ["|"]}}}}').labels).toContain('rate_limited')
    expect(at('{"triggers": [{"cron": "", "overlap": |}]}', 'queue').after).toBe('{"triggers": [{"cron": "", "overlap": "queue"}]}')
    expect(at('{"params": {"x": {"type": "|"}}}').labels).toContain('integer')
  })

  it('offers kinds, steps and workflows', () => {
    expect(at('{"steps": {"a": {"use": "|"}}}', 'exec:').after).toBe('{"steps": {"a": {"use": "exec:"}}}')
    expect(at('{"steps": {"a": {"after": ["|"]}, "b": {"use": "llm"}}}').labels).toEqual(['b'])
    expect(at('{"steps": {"a": {"use": "workflow", "with": {"name": "|"}}}}').labels).toEqual(['transcribe', 'enrich'])
    expect(at('{"steps": {"a": {"use": "llm", "with": {"merge": "|"}}}}').labels).toEqual(['reduce', 'join'])
  })

  it('has nothing to say where anything may stand', () => {
    expect(at('{"name": "|"}').labels).toEqual([])
    expect(complete('', 0, language, names)).toBeUndefined()
  })
})

describe('expressions', () => {
  const within = (expression: string, take?: string) =>
    at(`{"params": {"link": {"type": "url"}}, "steps": {"text": {"use": "transcribe"}, "ask": {"use": "llm", "with": {"input": "${expression}"}}}}`, take)

  it('offers spaces and functions', () => {
    expect(within('${|}').labels).toEqual(expect.arrayContaining(['steps', 'params', 'coalesce']))
    expect(within('|').labels).toEqual([])
  })

  it('offers steps, what they made, and parameters', () => {
    expect(within('${steps.|}').labels).toEqual(['text'])
    expect(within('a ${steps.te|xt} b', 'text').after).toContain('"a ${steps.text.output} b"')
    expect(within('${steps.text.|}').labels).toEqual(['output', 'status', 'error'])
    expect(within('${steps.text.output.|').labels).toEqual(['text', 'segments'])
    expect(within('${size(steps.text.output.se|)}', 'segments').after).toContain('${size(steps.text.output.segments)}')
    expect(within('${steps.ask.output.usage.|}').labels).toEqual(['tokens'])
    expect(within('${params.|}').options).toMatchObject([{ label: 'link', detail: 'url' }])
    expect(within('${secrets.|}').labels).toEqual(['key'])
    expect(within('${nothing.|}').labels).toEqual([])
  })

  it('takes a condition for an expression by itself, and knows the item of a list', () => {
    expect(at('{"steps": {"a": {"use": "llm"}, "b": {"when": "steps.|"}}}').labels).toEqual(['a'])
    const list = '"foreach": {"in": "steps.|", "as": "post", "on_item_error": "collect"}'
    expect(at(`{"steps": {"a": {"use": "llm"}, "b": {${list}}}}`).labels).toEqual(['a'])
    expect(at(`{"steps": {"b": {${list.replace('|', '')}, "with": {"x": "\${|}"}}}}`).labels.slice(0, 2)).toEqual(['post', 'index'])
    expect(at(`{"steps": {"b": {${list.replace('|', '')}}}, "output": "\${steps.b.output.|}"}`).labels.slice(0, 2)).toEqual(['ok', 'failed'])
  })

  it('knows events in triggers, and the handlers of failures', () => {
    expect(at('{"triggers": [{"event": "task.failed", "when": "event.|"}]}').labels).toContain('media')
    expect(at('{"triggers": [{"event": "task.failed", "params": {"x": "${event.media.|}"}}]}').labels).toContain('platform')
    expect(at('{"steps": {"a": {}}, "on_error": {"b": {}, "c": {"with": {"x": "${steps.|}"}}}}').labels).toEqual(['a', 'b'])
    expect(at('{"steps": {"a": {"with": {"x": "${task.error.|}"}}}}').labels).toEqual(['code', 'detail', 'hint'])
  })
})
