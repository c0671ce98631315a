import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import titles from './apart/titles'

const folder = join(import.meta.dirname, '../../../workflows')
const definitions = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'schema.json').map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as { title: string })

it.each(['zh-CN', 'zh-TW'])('every workflow that comes with trawl has a title in %s, and none is left of one that has gone', (language) => {
  expect(definitions.length).toBeGreaterThan(0)
  expect(Object.keys(titles[language]!).sort()).toEqual(definitions.map(({ title }) => title).sort())
})
