import type en from '../en/inbox'

export default {
  'inbox.title': '收件匣',
} satisfies Record<keyof typeof en, string>
