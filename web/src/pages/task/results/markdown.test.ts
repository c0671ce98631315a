import { expect, test } from 'vitest'
import { markdown, safe } from './markdown'

const flat = (text: string) => JSON.stringify(markdown(text))

test('what models write becomes blocks', () => {
  const made = markdown('# Title\n\nOne **two** *three* `four`\n\n- a\n- b\n  1. c\n\n> said\n\n```js\nx < y\n```\n\n| h |\n|---|\n| c |\n\n---\n')
  expect(made.map((block) => block.kind)).toEqual(['heading', 'paragraph', 'list', 'quote', 'code', 'table', 'rule'])
  expect(made[1]).toMatchObject({ parts: [{ text: 'One ' }, { kind: 'strong' }, { text: ' ' }, { kind: 'em' }, { text: ' ' }, { kind: 'code', text: 'four' }] })
  expect(made[4]).toEqual({ kind: 'code', text: 'x < y' })
})

test('HTML stays text', () => {
  expect(markdown('<img src=x onerror=alert(1)>')).toEqual([{ kind: 'paragraph', parts: [{ kind: 'text', text: '<img src=x onerror=alert(1)>' }] }])
  expect(flat('a <script>alert(1)</script> b')).toContain('<script>')
  expect(markdown('AT&amp;T &lt;b&gt;')[0]).toMatchObject({ parts: [{ kind: 'text', text: 'AT&T <b>' }] })
})

test('only addresses of the web and of mail are links', () => {
  for (const href of ['javascript:alert(1)', 'JaVaScRiPt:alert(1)', ' javascript:alert(1)', 'java\nscript:alert(1)', 'data:text/html,x', 'vbscript:x', 'blob:https://a/b', 'file:///etc/passwd', '//evil', 'relative', ''])
    expect(safe(href), href).toBeNull()
  expect(safe('https://example.org/a b')).toBe('https://example.org/a%20b')
  expect(flat('[press](javascript:alert(1)) <javascript:alert(1)>')).not.toContain('"link"')
  expect(flat('[press](https://example.org) ![pic](https://example.org/x.png)')).toMatch(/"link","href":"https:\/\/example.org\/"/)
  expect(flat('![pic](https://example.org/x.png)')).toBe('[{"kind":"paragraph","parts":[{"kind":"text","text":"pic"}]}]')
})

test('nothing is too deep, too long or too strange', () => {
  for (const text of ['>'.repeat(5000), '- '.repeat(3000) + 'x', '*'.repeat(5000), '['.repeat(5000), '`'.repeat(999), '|'.repeat(3000), 'x'.repeat(300_000)])
    expect(Array.isArray(markdown(text))).toBe(true)
})
