// Markdown of language models as plain data. It never becomes HTML: what is not known here stays text.

import { Lexer, type Token, type Tokens } from 'marked'

/** A piece of text with what it looks like. */
export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'strong'; parts: Inline[] }
  | { kind: 'em'; parts: Inline[] }
  | { kind: 'del'; parts: Inline[] }
  | { kind: 'link'; href: string; parts: Inline[] }
  | { kind: 'break' }

/** A paragraph and its like. */
export type Block =
  | { kind: 'paragraph'; parts: Inline[] }
  | { kind: 'heading'; level: number; parts: Inline[] }
  | { kind: 'list'; ordered: boolean; start: number; items: Block[][] }
  | { kind: 'quote'; blocks: Block[] }
  | { kind: 'code'; text: string }
  | { kind: 'table'; head: Inline[][]; rows: Inline[][][] }
  | { kind: 'rule' }

/** How deep lists and quotes may lie in each other; deeper ones are text. */
const deepest = 12

/** An address that a link may have: the web and mail, nothing that runs. Null for everything else. */
export function safe(href: string): string | null {
  try {
    const url = new URL(href)
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null
  } catch {
    return null
  }
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", apos: "'", nbsp: '\u00a0' }
const readable = (text: string) => text.replace(/&(amp|lt|gt|quot|#39|apos|nbsp);/g, (_, name: string) => entities[name]!)

function inline(tokens: readonly Token[] | undefined, depth: number): Inline[] {
  return (tokens ?? []).flatMap((token): Inline[] => {
    const parts = () => (depth > 0 ? inline((token as Tokens.Strong).tokens, depth - 1) : [{ kind: 'text' as const, text: token.raw }])
    if (token.type === 'strong' || token.type === 'em' || token.type === 'del') return [{ kind: token.type, parts: parts() }]
    if (token.type === 'codespan') return [{ kind: 'code', text: readable((token as Tokens.Codespan).text) }]
    if (token.type === 'br') return [{ kind: 'break' }]
    if (token.type === 'link') {
      const href = safe((token as Tokens.Link).href)
      return href ? [{ kind: 'link', href, parts: parts() }] : parts()
    }
    // A picture would be fetched from elsewhere: what it is called is shown.
    if (token.type === 'image') return [{ kind: 'text', text: (token as Tokens.Image).text || (token as Tokens.Image).href }]
    if (token.type === 'text' && (token as Tokens.Text).tokens) return parts()
    if (token.type === 'text' || token.type === 'escape') return [{ kind: 'text', text: readable((token as Tokens.Text).text) }]
    return [{ kind: 'text', text: token.raw }]
  })
}

function blocks(tokens: readonly Token[], depth: number): Block[] {
  return tokens.flatMap((token): Block[] => {
    if (token.type === 'space' || token.type === 'def') return []
    if (depth <= 0) return [{ kind: 'paragraph', parts: [{ kind: 'text', text: token.raw }] }]
    if (token.type === 'heading') return [{ kind: 'heading', level: (token as Tokens.Heading).depth, parts: inline(token.tokens, depth) }]
    if (token.type === 'code') return [{ kind: 'code', text: (token as Tokens.Code).text }]
    if (token.type === 'hr') return [{ kind: 'rule' }]
    if (token.type === 'blockquote') return [{ kind: 'quote', blocks: blocks((token as Tokens.Blockquote).tokens, depth - 1) }]
    if (token.type === 'list') {
      const { ordered, start, items } = token as Tokens.List
      return [{ kind: 'list', ordered, start: Number(start) || 1, items: items.map((item) => blocks(item.tokens, depth - 1)) }]
    }
    if (token.type === 'table') {
      const { header, rows } = token as Tokens.Table
      const cell = (each: Tokens.TableCell) => inline(each.tokens, depth)
      return [{ kind: 'table', head: header.map(cell), rows: rows.map((row) => row.map(cell)) }]
    }
    if (token.type === 'paragraph' || token.type === 'text') return [{ kind: 'paragraph', parts: inline((token as Tokens.Paragraph).tokens ?? [token], depth) }]
    return [{ kind: 'paragraph', parts: [{ kind: 'text', text: token.raw.trim() }] }]
  })
}

/** The most characters that are read as Markdown; the rest is text. */
const longest = 200_000

/** A text as blocks. */
export function markdown(text: string): Block[] {
  if (text.length > longest) return [{ kind: 'paragraph', parts: [{ kind: 'text', text }] }]
  try {
    return blocks(new Lexer({ gfm: true }).lex(text), deepest)
  } catch {
    return [{ kind: 'paragraph', parts: [{ kind: 'text', text }] }]
  }
}
