import { expect, test } from 'vitest'
import { formerly } from './addresses'

test.each([
  ['schedules', '', null],
  ['schedules', 'id=7', 'schedules/7'],
  ['schedules', 'view=sources', 'sources'],
  ['schedules', 'view=sources&id=3', 'sources/3'],
  ['schedules', 'id=x', null],
  ['sources', 'id=3', null],
])('%s?%s has become %s', (path, query, now) => expect(formerly(path, new URLSearchParams(query))).toBe(now))
