import type en from '../en/settings'

export default {
  'settings.title': '设置',
  'settings.tab.appearance': '外观',
  'settings.tab.tokens': '访问令牌',
  'settings.tab.identities': '身份',
  'settings.tab.secrets': '密钥',
  'settings.tab.callbacks': '回调',
  'settings.tab.doctor': '诊断',
  'settings.tab.about': '关于',
  'settings.theme': '主题',
  'settings.theme.system': '跟随系统',
  'settings.theme.light': '浅色',
  'settings.theme.dark': '深色',
} satisfies Record<keyof typeof en, string>
