import { expect, test } from 'vitest'
import { pick, variant } from './i18n.svelte'

test('the first language that the page has, unless one was chosen', () => {
  expect(pick(null, ['de-DE', 'zh-HK', 'en'])).toBe('zh-TW')
  expect(pick(null, ['zh-SG'])).toBe('zh-CN')
  expect(pick(null, ['de'])).toBe('en')
  expect(pick('zh-CN', ['en-GB'])).toBe('zh-CN')
})

test('dates are written as somebody reads them', () => {
  expect(variant('en', ['de-DE', 'en-GB', 'en-US'])).toBe('en-GB')
  expect(variant('zh-TW', ['zh-CN', 'zh-HK'])).toBe('zh-HK')
  expect(variant('zh-CN', ['en-GB'])).toBe('zh-CN')
})
