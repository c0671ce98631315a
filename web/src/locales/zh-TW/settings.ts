import type en from '../en/settings'

export default {
  'settings.title': '設定',
} satisfies Record<keyof typeof en, string>
