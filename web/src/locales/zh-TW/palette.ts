import type en from '../en/palette'

export default {
  'palette.title': '前往、尋找、執行',
  'palette.key': '前往頁面、尋找任務或執行操作',
  'palette.field': '想做什麼？',
  'palette.placeholder': '頁面、任務或操作',
  'palette.list': '可選項目',
  'palette.none': '沒有相符的內容',
  'palette.count': '{n|other:# 項}',
  'palette.group.pages': '頁面',
  'palette.group.tasks': '任務',
  'palette.group.actions': '操作',
  'palette.settings': '設定：{name}',
  'palette.paste': '貼上連結',
  'palette.add': '把此連結放入收件匣',
  'palette.theme': '主題：{name}',
  'palette.language': '語言：{name}',
  'palette.letters-off': '關閉單一字母快速鍵',
  'palette.letters-on': '啟用單一字母快速鍵',
  'palette.task': '任務 {id}',
  'palette.moves': '↑ ↓ 選擇 · ↵ 前往 · Esc 關閉',
} satisfies Record<keyof typeof en, string>
