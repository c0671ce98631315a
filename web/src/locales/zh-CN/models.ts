import type en from '../en/models'

export default {
  'models.title': '模型',
} satisfies Record<keyof typeof en, string>
