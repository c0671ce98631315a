import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { graph, inOrder, stepAt } from './graph'
import { parse } from './json'
import { layout } from './layout'
import { pieces, references } from './references'

const shipped = join(import.meta.dirname, '../../../workflows')
const definition = (name: string) => readFileSync(join(shipped, name), 'utf8')
const edges = (text: string, group?: 'on_error') => graph(parse(text).root, group).edges.map(({ from, to, kind }) => `${from} ${kind} ${to}`)

describe('references', () => {
  const paths = (expression: string) => references(expression).map(({ path, guarded }) => path.join('.') + (guarded ? '?' : ''))

  it('reads names with dots and brackets', () => {
    expect(paths("steps.text.output['text'] != params.target && params['callback-url'] != ''")).toEqual(['steps.text.output.text', 'params.target', 'params.callback-url'])
  })

  it('knows what bears something missing', () => {
    expect(paths('default(steps.a.output.x, steps.b.output.x)')).toEqual(['steps.a.output.x?', 'steps.b.output.x'])
    expect(paths('coalesce(steps.a.output, steps.b.output) + steps.c.output')).toEqual(['steps.a.output?', 'steps.b.output?', 'steps.c.output'])
    expect(paths('size(default(steps.a.output.x, null))')).toEqual(['steps.a.output.x?'])
  })

  it('takes methods and texts for what they are', () => {
    expect(paths("steps.posts.output.items.filter(p, p.pinned)")).toEqual(['steps.posts.output.items', 'p', 'p.pinned'])
    expect(paths("'steps.a.output' + \"steps.b\" + size(params.n)")).toEqual(['params.n'])
    expect(paths('steps.a.output[0].x in [true, null]')).toEqual(['steps.a.output.0.x'])
  })

  it('finds the expressions of a text', () => {
    const inner = (text: string) => pieces(text).map(({ from, to }) => text.slice(from, to))
    expect(inner("a ${params.x} b ${ {'y': '}'}.y } $${no} ${steps.")).toEqual(['params.x', " {'y': '}'}.y ", 'steps.'])
    expect(pieces('${a').map(({ closed }) => closed)).toEqual([false])
  })
})

describe('graph', () => {
  it('draws what a shipped workflow does', () => {
    expect(edges(definition('transcribe-summarise.json'))).toEqual([
      'source needs media', 'media needs text', 'text needs summary', 'source may notify', 'summary may notify',
    ])
  })

  it('knows conditions, lists, orders and cases', () => {
    const text = JSON.stringify({
      steps: {
        a: { use: 'resolve' },
        b: { use: 'workflow', foreach: { in: 'steps.a.output.items', as: 'post', parallel: 4 }, with: { name: 'transcribe' }, on_error: 'continue' },
        c: { use: 'condition', with: { cases: [{ when: 'steps.a.output.n > 1', value: '${steps.b.output.ok}' }] } },
        d: { use: 'http', when: "steps.b.status == 'failed'", after: ['c'] },
      },
      on_error: { tell: { use: 'callback', with: { url: '${params.x}', data: '${steps.a.output}' } }, last: { use: 'http', after: ['tell'] } },
    })
    expect(edges(text)).toEqual(['a needs b', 'b needs c', 'a needs c', 'b after d', 'c after d'])
    expect(edges(text, 'on_error')).toEqual(['tell after last'])
    const [, b, , d] = graph(parse(text).root).steps
    expect(b).toMatchObject({ kind: 'workflow', runs: 'transcribe', goesOn: true, foreach: { in: 'steps.a.output.items', as: 'post', parallel: 4 } })
    expect(d!.when).toBe("steps.b.status == 'failed'")
  })

  it('knows the step around a caret', () => {
    const text = definition('transcribe.json')
    const { steps } = graph(parse(text).root)
    expect(stepAt(steps, text.indexOf('"download"'))?.kind).toBe('download')
    expect(stepAt(steps, 0)).toBeUndefined()
  })

  it('puts steps in an order in which they could run, also where they wait for each other', () => {
    const text = '{"steps": {"c": {"after": ["b"]}, "b": {"after": ["a"]}, "a": {}, "x": {"after": ["y"]}, "y": {"after": ["x"]}}}'
    expect(inOrder(graph(parse(text).root)).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'x', 'y'])
  })
})

describe('layout', () => {
  it.each(readdirSync(shipped).filter((name) => name.endsWith('.json') && name !== 'schema.json'))('draws %s without boxes on each other', (name) => {
    const found = graph(parse(definition(name)).root)
    const { boxes, ways, width, height } = layout(found)
    for (const [index, a] of boxes.entries()) {
      expect(a.x - a.width / 2).toBeGreaterThanOrEqual(0)
      expect(a.x + a.width / 2).toBeLessThanOrEqual(width)
      expect(a.y + a.height / 2).toBeLessThanOrEqual(height)
      for (const b of boxes.slice(index + 1)) {
        const apart = Math.abs(a.x - b.x) >= (a.width + b.width) / 2 || Math.abs(a.y - b.y) >= (a.height + b.height) / 2
        expect(apart, `${a.name} and ${b.name}`).toBe(true)
      }
    }
    for (const { from, to, path } of ways) {
      const [above, below] = [from, to].map((step) => boxes.find((box) => box.name === step)!)
      expect(above!.y).toBeLessThan(below!.y)
      expect(path).toMatch(/^M[\d. ]+([LQ][-\d. ]+)+$/)
    }
  })

  it('draws a hundred steps, cycles and nothing at all', () => {
    const steps = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`s${n}`, { after: n ? [`s${n - 1}`] : ['s99'] }]))
    expect(layout(graph(parse(JSON.stringify({ steps })).root)).boxes).toHaveLength(100)
    expect(layout({ steps: [], edges: [] })).toMatchObject({ boxes: [], ways: [] })
  })
})
