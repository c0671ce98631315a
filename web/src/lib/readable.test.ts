import { expect, test } from 'vitest'
import { readable } from './readable'

test('a link is shown in letters, and nothing in it acts', () => {
  expect(readable('https://www.example.com/%E8%A7%86%E9%A2%91/a%20b%2Fc')).toBe('example.com/视频/a%20b%2Fc')
  expect(readable('http://example.com/%E8%A7')).toBe('example.com/%E8%A7')
  expect(readable('https://example.com/%E2%80%AEgpj.exe')).toBe('example.com/\u2060gpj.exe')
  expect(readable('upload:7')).toBe('upload:7')
})
