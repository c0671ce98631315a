// The steps of a definition and what leads from one to another.

import { field, words, type Member, type Node, type Range } from './json'
import { pieces, references } from './references'

/** Why one step runs after another: it needs its output, can do without it, or only waits for its end. */
export type EdgeKind = 'needs' | 'may' | 'after'

/** A step. */
export interface Step {
  name: string
  /** The word after `use`; empty while there is none. */
  kind: string
  /** The condition that it runs under. */
  when: string | undefined
  /** The list whose items it runs for, and the name of an item. */
  foreach: { in: string; as: string; parallel: number } | undefined
  /** Whether the task goes on without it when it fails. */
  goesOn: boolean
  /** The workflow that it runs, where it is one by name. */
  runs: string | undefined
  /** Where it stands in the text: its name and everything below. */
  place: Range
  /** Where its name stands. */
  key: Range
}

/** A way from a step to one that runs after it. */
export interface Edge {
  from: string
  to: string
  kind: EdgeKind
}

/** Steps with their ways. */
export interface Graph {
  steps: Step[]
  edges: Edge[]
}

const STRENGTH: Record<EdgeKind, number> = { after: 0, may: 1, needs: 2 }

/** The steps of `steps`, or of `on_error`. */
export function graph(root: Node, group: 'steps' | 'on_error' = 'steps'): Graph {
  const members = unique(field(root, group)?.members ?? [])
  const steps = members.map(step)
  const names = new Set(steps.map(({ name }) => name))
  const edges = members.flatMap((member) => edgesOf(member, names))
  return { steps, edges }
}

/** The step around an offset. */
export function stepAt(steps: Step[], offset: number): Step | undefined {
  return steps.find(({ place }) => place.from <= offset && offset <= place.to)
}

/** The steps in an order in which they could run; those that wait for each other come last, as they are written. */
export function inOrder({ steps, edges }: Graph): Step[] {
  const [waiting, done] = [[...steps], [] as Step[]]
  const isFree = ({ name }: Step) => edges.every((edge) => edge.to !== name || done.some((step) => step.name === edge.from))
  for (;;) {
    const next = waiting.findIndex(isFree)
    if (next < 0) return [...done, ...waiting]
    done.push(...waiting.splice(next, 1))
  }
}

function unique(members: Member[]): Member[] {
  return [...new Map(members.map((member) => [member.name, member])).values()]
}

function step({ name, key, value }: Member): Step {
  const list = field(value, 'foreach')
  const parallel = field(list, 'parallel')?.value
  const over = words(list, 'in')
  const kind = words(value, 'use') ?? ''
  return {
    name,
    kind,
    when: words(value, 'when'),
    foreach: over === undefined ? undefined : { in: over, as: words(list, 'as') ?? 'item', parallel: typeof parallel === 'number' ? parallel : 1 },
    goesOn: words(value, 'on_error') === 'continue',
    runs: kind === 'workflow' ? words(field(value, 'with'), 'name') : undefined,
    place: { from: key.from, to: value.to },
    key,
  }
}

function edgesOf({ name, value }: Member, names: Set<string>): Edge[] {
  const found = new Map<string, EdgeKind>()
  const add = (from: string | undefined, kind: EdgeKind) => {
    if (from === undefined || from === name || !names.has(from)) return
    const known = found.get(from)
    if (known === undefined || STRENGTH[kind] > STRENGTH[known]) found.set(from, kind)
  }
  const read = (expression: string) => {
    for (const { path, guarded } of references(expression)) {
      if (path[0] !== 'steps') continue
      // How a step ended is known of every step, so that is only an order.
      const isOutput = path[2] === undefined || path[2] === 'output'
      add(path[1], !isOutput ? 'after' : guarded ? 'may' : 'needs')
    }
  }
  for (const text of texts(field(value, 'with'))) {
    for (const { from, to } of pieces(text)) read(text.slice(from, to))
  }
  // A condition's cases hold expressions without `${`.
  for (const one of field(field(value, 'with'), 'cases')?.items ?? []) read(words(one, 'when') ?? '')
  read(words(value, 'when') ?? '')
  read(words(field(value, 'foreach'), 'in') ?? '')
  for (const item of field(value, 'after')?.items ?? []) add(item.kind === 'string' ? String(item.value) : undefined, 'after')
  return [...found].map(([from, kind]) => ({ from, to: name, kind }))
}

function texts(node: Node | undefined): string[] {
  if (!node) return []
  if (node.kind === 'string') return [String(node.value)]
  return [...node.members.map(({ value }) => value), ...node.items].flatMap(texts)
}
