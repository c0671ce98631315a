import type en from '../en/schedules'

export default {
  'schedules.title': '排程',
} satisfies Record<keyof typeof en, string>
