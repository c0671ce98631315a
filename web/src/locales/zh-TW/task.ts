import type en from '../en/task'

export default {
  'task.title': '任務',
} satisfies Record<keyof typeof en, string>
