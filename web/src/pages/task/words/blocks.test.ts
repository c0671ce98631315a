import { expect, test } from 'vitest'
import type { Line } from '../../../transcript/lines'
import { Blocks } from './blocks'

const line = (key: number) => ({ key, start: key, end: key + 1, text: `${key}` }) as Line
const list = (count: number) => Array.from({ length: count }, (_, key) => line(key))
const sizes = (blocks: readonly { lines: readonly Line[] }[]) => blocks.map((block) => block.lines.length)

test('every line stands in one block, in its order', () => {
  const lines = list(230)
  const blocks = new Blocks().of(lines)
  expect(sizes(blocks)).toEqual([50, 50, 50, 50, 30])
  expect(blocks.flatMap((block) => block.lines)).toEqual(lines)
  expect(new Blocks().of([])).toEqual([])
})

test('a line that comes or goes changes its own block alone', () => {
  const [cut, lines] = [new Blocks(), list(500)]
  const before = cut.of(lines)
  const more = [...lines.slice(0, 3), line(900), ...lines.slice(3)]
  const after = cut.of(more)
  expect(after.flatMap((block) => block.lines)).toEqual(more)
  expect(after.map((block, at) => block === before[at])).toEqual([false, ...Array<boolean>(9).fill(true)])
  expect(after[0]!.key).toBe(before[0]!.key)
  const less = [...more.slice(0, 70), ...more.slice(71)]
  const last = cut.of(less)
  expect(last.flatMap((block) => block.lines)).toEqual(less)
  expect(last.filter((block, at) => block !== after[at])).toHaveLength(1)
})

test('a block that has grown is cut, and keys stay apart', () => {
  const cut = new Blocks()
  let lines = list(100)
  cut.of(lines)
  for (let turn = 0; turn < 200; turn += 1) {
    const at = (turn * 37) % lines.length
    lines = turn % 5 ? [...lines.slice(0, at), line(1000 + turn), ...lines.slice(at)] : [...lines.slice(0, at), ...lines.slice(at + 1)]
    const blocks = cut.of(lines)
    expect(blocks.flatMap((block) => block.lines)).toEqual(lines)
    expect(new Set(blocks.map((block) => block.key)).size).toBe(blocks.length)
    expect(Math.max(...sizes(blocks))).toBeLessThanOrEqual(75)
    expect(Math.min(...sizes(blocks))).toBeGreaterThan(0)
  }
})

test('segments that come one by one, and another script of them all', () => {
  const cut = new Blocks()
  for (let count = 1; count <= 160; count += 1) expect(cut.of(list(160).slice(0, count)).flatMap((block) => block.lines)).toHaveLength(count)
  const [before, after] = [cut.of(list(160)), cut.of(list(160).map((each) => ({ ...each, text: 'other' })))]
  expect(after.map((block) => block.key)).toEqual(before.map((block) => block.key))
  expect(after.every((block) => block.lines.every((each) => each.text === 'other'))).toBe(true)
})
