// What a token's row and the form for a new one say. Pure.

import type { NewToken, Token } from '../../lib/schema'

/** Whether a token counts now. */
export function standing(token: Pick<Token, 'revoked_at' | 'expires_at'>, now = Date.now()): 'active' | 'expired' | 'revoked' {
  if (token.revoked_at) return 'revoked'
  return token.expires_at && Date.parse(token.expires_at) <= now ? 'expired' : 'active'
}

/** What the form holds; texts as they were typed. */
export type Wish = { name: string; scopes: Token['scopes']; life: string; tasks: string; audio: string; bytes: string }

/** An empty form. */
export const wish = (): Wish => ({ name: '', scopes: ['read', 'submit'], life: '90', tasks: '', audio: '', bytes: '' })

const amount = (text: string, unit = 1): number | null => (text.trim() ? Math.round(Number(text) * unit) : null)

/** Which fields of the form are wrong. */
export function wrong(wish: Wish): Set<keyof Wish> {
  const fields = new Set<keyof Wish>()
  if (!wish.name.trim() || [...wish.name.trim()].length > 100) fields.add('name')
  if (!wish.scopes.length) fields.add('scopes')
  for (const name of ['tasks', 'audio', 'bytes'] as const) {
    const number = Number(wish[name])
    if (wish[name].trim() && !(number > 0 && Number.isFinite(number) && (name !== 'tasks' || Number.isInteger(number)))) fields.add(name)
  }
  return fields
}

/** The form as the API takes it: hours of audio are seconds there, megabytes are bytes, a life in days has an end. */
export function asked(wish: Wish, now = Date.now()): NewToken {
  return {
    name: wish.name.trim(),
    scopes: wish.scopes,
    expires_at: wish.life ? new Date(now + Number(wish.life) * 86_400_000).toISOString() : null,
    quota: { tasks_per_minute: amount(wish.tasks), audio_seconds_per_day: amount(wish.audio, 3600), bytes_per_day: amount(wish.bytes, 1e6) },
  }
}
