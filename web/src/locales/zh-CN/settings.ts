import type en from '../en/settings'

export default {
  'settings.title': '设置',
} satisfies Record<keyof typeof en, string>
