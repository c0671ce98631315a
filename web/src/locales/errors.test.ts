import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import en from './en'
import cn from './zh-CN'
import tw from './zh-TW'

const table = readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8')
const codes = [...table.matchAll(/^\| `([a-z_]+)` \| \d+ \|/gm)].map((row) => row[1]!)
const named = (texts: object, prefix: string) => Object.keys(texts).filter((key) => key.startsWith(`${prefix}.`)).map((key) => key.slice(prefix.length + 1))

describe('errors', () => {
  it('are those of the table', () => expect(codes.length).toBeGreaterThan(70))

  it.each([['English', en], ['简体中文', cn], ['繁體中文', tw]])('have a title each in %s, and none is left of a code that has gone', (_, texts) => {
    expect(named(texts, 'error').sort()).toEqual([...codes].sort())
    for (const [key, text] of Object.entries(texts)) if (key.startsWith('error.')) expect(text.trim(), key).not.toBe('')
  })

  // In English the daemon's own hint is shown but for those that the page says in other words, and docs/errors.md has one for every code.
  it.each([['简体中文', cn], ['繁體中文', tw]])('have a hint each in %s', (_, texts) => {
    const hints = named(texts, 'hint')
    expect(codes.filter((code) => !hints.includes(code))).toEqual([])
    const own = (codesOf: string[]) => codesOf.filter((code) => !codes.includes(code)).sort()
    expect(own(hints)).toEqual(own(named(en, 'hint')))
  })

  it('are written in the characters of their region', () => {
    const of = (texts: object) => Object.entries(texts).filter(([key]) => /^(error|hint)\./.test(key)).map(([, text]) => text as string).join('')
    expect([...of(cn)].filter((sign) => '們這個請檢網頁檔誤點載輸設資'.includes(sign))).toEqual([])
    expect([...of(tw)].filter((sign) => '们这个请检网页误点载输设资'.includes(sign))).toEqual([])
  })
})
