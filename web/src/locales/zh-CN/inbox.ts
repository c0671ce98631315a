import type en from '../en/inbox'

export default {
  'inbox.title': '收件箱',
} satisfies Record<keyof typeof en, string>
