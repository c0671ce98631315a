import type en from '../en/palette'

export default {
  'palette.title': '前往、查找、执行',
  'palette.key': '前往页面、查找任务或执行操作',
  'palette.field': '想做什么？',
  'palette.placeholder': '页面、任务或操作',
  'palette.list': '可选项',
  'palette.none': '没有匹配的内容',
  'palette.count': '{n|other:# 项}',
  'palette.group.pages': '页面',
  'palette.group.tasks': '任务',
  'palette.group.actions': '操作',
  'palette.settings': '设置：{name}',
  'palette.paste': '粘贴链接',
  'palette.add': '把此链接放入收件箱',
  'palette.theme': '主题：{name}',
  'palette.language': '语言：{name}',
  'palette.letters-off': '关闭单字母快捷键',
  'palette.letters-on': '启用单字母快捷键',
  'palette.task': '任务 {id}',
  'palette.moves': '↑ ↓ 选择 · ↵ 前往 · Esc 关闭',
} satisfies Record<keyof typeof en, string>
