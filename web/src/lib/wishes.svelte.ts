// What new tasks get unless somebody says otherwise: the workflow and the language that were chosen last.

import { keep, kept } from './keep'

const state = $state({ workflow: kept('workflow') ?? 'transcribe', language: kept('language') ?? '' })

/** The chosen workflow and language; an empty language is found out by listening. */
export const wishes: Readonly<typeof state> = state

/** Chooses the workflow. */
export function wishWorkflow(name: string): void {
  state.workflow = name
  keep('workflow', name)
}

/** Chooses the language that is spoken. */
export function wishLanguage(code: string): void {
  state.language = code
  keep('language', code || null)
}

/** As a request has it. */
export function asked(): { workflow: string; options?: Record<string, unknown> } {
  return { workflow: state.workflow, ...(state.language ? { options: { language: state.language } } : {}) }
}
