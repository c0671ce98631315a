import type en from '../en/settings'

export default {
  'settings.title': '設定',
  'settings.tab.appearance': '外觀',
  'settings.tab.tokens': '存取權杖',
  'settings.tab.identities': '身分',
  'settings.tab.secrets': '密鑰',
  'settings.tab.callbacks': '回呼',
  'settings.tab.doctor': '診斷',
  'settings.tab.about': '關於',
  'settings.theme': '主題',
  'settings.theme.system': '跟隨系統',
  'settings.theme.light': '淺色',
  'settings.theme.dark': '深色',
} satisfies Record<keyof typeof en, string>
