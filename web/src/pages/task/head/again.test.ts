import { expect, test } from 'vitest'
import type { Task } from '../../../lib/schema'
import { webAddress } from './address'
import { changed, wish } from './again'

const task = {
  workflow: 'transcribe-summarise', link: 'https://example.org/a', params: { link: 'https://example.org/a', length: 'short' }, priority: 'high',
  options: { model: 'turbo', beam_size: 1, word_timestamps: true }, media: { id: 7, available: true }, callback_url: 'https://hooks.example.org/x',
} as unknown as Task

test('what was not changed stays as it was', () => {
  expect(changed(task, wish(task.options))).toEqual({
    workflow: 'transcribe-summarise', link: 'media:7', params: { length: 'short' }, options: { model: 'turbo', beam_size: 1, word_timestamps: true }, priority: 'high',
    callback_url: 'https://hooks.example.org/x',
  })
})

test('wishes take their places, and empty ones take options away', () => {
  const made = changed({ ...task, media: null } as Task, { model: ' ', language: 'zh', zh: 'tw', prompt: 'x', words: false, fresh: true })
  expect(made.options).toEqual({ beam_size: 1, language: 'zh', zh: 'tw', initial_prompt: 'x', no_cache: true })
  expect(made.link).toBe('https://example.org/a')
})

test('only the web is a link', () => {
  expect(webAddress('https://example.org/')).toBe('https://example.org/')
  for (const text of ['javascript:alert(1)', 'data:text/html,x', 'media:7', 'upload:a', '', 'not an address']) expect(webAddress(text)).toBeNull()
})
