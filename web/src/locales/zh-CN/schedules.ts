import type en from '../en/schedules'

export default {
  'schedules.title': '计划',
} satisfies Record<keyof typeof en, string>
