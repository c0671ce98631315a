import type en from '../en/task'

export default {
  'task.title': '任务',
} satisfies Record<keyof typeof en, string>
