import { expect, test } from 'vitest'
import { links, placeOf, places, split, without } from './share'

const share = '7.43 复制打开抖音，看看【读书的猫的作品】聊一聊今年… https://v.douyin.com/iRNBho6u/ 12/04 Rkc:/'

test('a share text holds its link', () => {
  expect(links(share)).toEqual([{ line: 1, link: 'https://v.douyin.com/iRNBho6u/', place: 'douyin' }])
})

test('marks around a link do not belong to it', () => {
  expect(links('（https://a.example/x），看 https://a.example/y。(https://b.example/z).').map((found) => found.link)).toEqual([
    'https://a.example/x', 'https://a.example/y', 'https://b.example/z',
  ])
})

test('many lines, the same link once', () => {
  const found = links(`${share}\nnothing here\nhttps://www.tiktok.com/@a/video/1\nhttps://v.douyin.com/iRNBho6u/`)
  expect(found.map(({ line, place }) => [line, place])).toEqual([[1, 'douyin'], [3, 'tiktok']])
  expect(places([...found, ...links('https://vm.tiktok.com/x')])).toEqual([['tiktok', 2], ['douyin', 1]])
})

test('other hosts are named as they are, and what is no link is none', () => {
  expect(placeOf('https://www.example.org/a')).toBe('example.org')
  expect(placeOf('https://notdouyin.com/')).toBe('notdouyin.com')
  expect(placeOf('http://')).toBeNull()
  expect(links('http:// https://  ftp://a.example')).toEqual([])
})

test('links without a scheme are found where the daemon finds them', () => {
  const of = (text: string) => links(text).map(({ link, place }) => [link, place])
  expect(of('v.douyin.com/iRNBho6u')).toEqual([['v.douyin.com/iRNBho6u', 'douyin']])
  expect(of('看看 v.douyin.com/iRNBho5m/ 好看 vm.tiktok.com/Z1/，')).toEqual([['v.douyin.com/iRNBho5m/', 'douyin'], ['vm.tiktok.com/Z1/', 'tiktok']])
  expect(of('  example.com/talk.mp3 ')).toEqual([['example.com/talk.mp3', 'example.com']])
  for (const text of ['see example.com/talk.mp3 there', 'ftp://www.douyin.com/video/1', 'see evil-www.tiktok.com/@a', 'me@www.tiktok.com/x y', 'talk.mp3', '12/04 Rkc:/'])
    expect(of(text)).toEqual([])
})

test('words that are glued to a link and brackets of the sentence do not belong to it', () => {
  expect(links('看https://v.douyin.com/iRNBho5m/复制此链接，打开').map(({ link }) => link)).toEqual(['https://v.douyin.com/iRNBho5m/'])
  expect(links('(see https://example.com/a_(b))').map(({ link }) => link)).toEqual(['https://example.com/a_(b)'])
})

test('lines that were refused are taken out', () => {
  expect(split('a\nb\nc', [2])).toEqual({ taken: 'a\nc', left: ['b'] })
})

test('links that are known go, with the lines that hold nothing else', () => {
  const known = new Set(['https://a.example/1'])
  expect(without('看看 https://a.example/1 吧\nno link\nhttps://b.example/2', known)).toBe('no link\nhttps://b.example/2')
  expect(without('https://a.example/1 https://b.example/2', known)).toBe('  https://b.example/2')
  expect(without('https://b.example/2', known)).toBe('https://b.example/2')
})
