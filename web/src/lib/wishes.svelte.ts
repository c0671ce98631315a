// What new tasks get unless somebody says otherwise: the workflow and the language that were chosen last, and what that workflow asks for.

import { keep, kept } from './keep'

/** What a workflow asks for beside a link: what was answered, and whether that is all that it needs. */
export interface Answered {
  params: Record<string, unknown>
  complete: boolean
}

const workflow = kept('workflow') ?? 'transcribe'
const state = $state({ workflow, language: kept('language') ?? '', ...answered(workflow), wanting: 0 })

/**
 * The chosen workflow and language (an empty one is found out by listening), and the workflow's parameters: `complete` where it has
 * all that it needs. `wanting` grows with each try to make a task without.
 */
export const wishes: Readonly<typeof state> = state

/** Chooses the workflow. */
export function wishWorkflow(name: string): void {
  state.workflow = name
  state.wanting = 0
  Object.assign(state, answered(name))
  keep('workflow', name)
}

/** Chooses the language that is spoken. */
export function wishLanguage(code: string): void {
  state.language = code
  keep('language', code || null)
}

/** Takes what the chosen workflow asks for. Kept for each workflow, because files can be dropped where its form is not shown. */
export function wishParams({ params, complete }: Answered): void {
  state.params = params
  state.complete = complete
  if (complete) state.wanting = 0
  keep(`params.${state.workflow}`, Object.keys(params).length || !complete ? JSON.stringify({ params, complete }) : null)
}

/** Whether a task can be made; where something is missing, the inbox says what. */
export function isComplete(): boolean {
  if (!state.complete) state.wanting += 1
  return state.complete
}

/** As a request has it. */
export function asked(): { workflow: string; options?: Record<string, unknown>; params?: Record<string, unknown> } {
  return {
    workflow: state.workflow,
    ...(state.language ? { options: { language: state.language } } : {}),
    ...(Object.keys(state.params).length ? { params: $state.snapshot(state.params) } : {}),
  }
}

function answered(name: string): Answered {
  try {
    const { params, complete } = JSON.parse(kept(`params.${name}`) ?? '') as Answered
    return { params: { ...params }, complete: complete !== false }
  } catch {
    return { params: {}, complete: true }
  }
}
