// What the chosen workflow asks for beside a link.

import { untrack } from 'svelte'
import type { WorkflowLine } from '../../lib/schema'
import { wishes } from '../../lib/wishes.svelte'
import { answers as blank, questions, read, type Answers } from '../../workflow/form'

/** The workflows that there are, and the form of the chosen one. */
export class Wanted {
  workflows: WorkflowLine[] = $state.raw([])
  readonly line = $derived(this.workflows.find(({ name }) => name === wishes.workflow))
  /** Whether it works on a link; one that is not known is thought to. */
  readonly takesLink = $derived(!this.line || 'link' in this.line.params)
  readonly list = $derived(questions(this.line).filter(({ name }) => name !== 'link'))
  readonly needed = $derived(this.list.filter(({ required }) => required))
  readonly optional = $derived(this.list.filter(({ required }) => !required))
  /** The form as it is filled in, beginning with what was answered before. */
  answers: Answers = $derived(blank(this.list, untrack(() => wishes.params)))
  readonly reading = $derived(read(this.list, this.answers))
  /** The names of what will not do yet. */
  readonly wrong = $derived(Object.keys(this.reading.wrong))
  /** How many answers are not the usual ones. */
  readonly changed = $derived(this.optional.filter(({ name }) => name in this.reading.params).length)
  /** The parameters as a task has them: defaults filled in. */
  readonly filled = $derived({ ...Object.fromEntries(this.optional.map(({ name, default: usual }) => [name, usual])), ...this.reading.params })
}
