// Where the steps of a diagram stand and how their ways run. Loaded with the diagram, because dagre comes with it.

import dagre from '@dagrejs/dagre'
import type { Edge, Graph } from './graph'

/** How large a step is drawn: its height, and the least that it is wide. */
export interface Size {
  height: number
  least: number
}

const USUAL: Size = { height: 44, least: 96 }
const MOST = 220
// What a character takes at the size of a step's name, and what stands beside it.
const CHARACTER = 7.4
const BESIDE = 34

/** A box of a diagram: its middle and its size. */
export interface Box {
  name: string
  x: number
  y: number
  width: number
  height: number
}

/** A way of a diagram, as the path of an SVG. */
export interface Way extends Edge {
  path: string
}

/** A diagram that can be drawn as it is. */
export interface Drawing {
  width: number
  height: number
  boxes: Box[]
  ways: Way[]
}

/** Lays a graph out from top to bottom. */
export function layout({ steps, edges }: Graph, { height: tall, least }: Size = USUAL): Drawing {
  const drawing = new dagre.graphlib.Graph()
  drawing.setGraph({ rankdir: 'TB', nodesep: 20, ranksep: 32, marginx: 4, marginy: 4 })
  drawing.setDefaultEdgeLabel(() => ({}))
  for (const { name, kind } of steps) drawing.setNode(name, { width: widthOf(name, kind, least), height: tall })
  for (const { from, to } of edges) drawing.setEdge(from, to)
  dagre.layout(drawing)
  const boxes = steps.map(({ name }) => {
    const { x, y, width, height } = drawing.node(name) as Box
    return { name, x, y, width, height }
  })
  const ways = edges.map((edge) => {
    const { points } = drawing.edge(edge.from, edge.to) as { points: Point[] }
    return { ...edge, path: curve(points) }
  })
  const { width = 0, height = 0 } = drawing.graph() as { width?: number; height?: number }
  return { width: Math.max(width, 1), height: Math.max(height, 1), boxes, ways }
}

type Point = { x: number; y: number }

function widthOf(name: string, kind: string, least: number): number {
  const characters = Math.max(name.length, kind.length)
  return Math.min(Math.max(characters * CHARACTER + BESIDE, least), MOST)
}

// Corners are rounded: each is passed on the way between the middles of what lies before and behind it.
function curve(points: Point[]): string {
  const written = ({ x, y }: Point) => `${round(x)} ${round(y)}`
  const middle = (a: Point, b: Point) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 })
  const [first, ...rest] = points
  if (!first || !rest.length) return ''
  let path = `M${written(first)}`
  for (let index = 0; index < rest.length - 1; index++) {
    const [corner, next] = [rest[index]!, rest[index + 1]!]
    const end = index === rest.length - 2 ? next : middle(corner, next)
    path += `Q${written(corner)} ${written(end)}`
  }
  return rest.length === 1 ? `${path}L${written(rest[0]!)}` : path
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
