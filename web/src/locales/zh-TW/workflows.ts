import type en from '../en/workflows'

export default {
  'workflows.title': '工作流程',
} satisfies Record<keyof typeof en, string>
