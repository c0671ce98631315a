// Lines that nobody is writing in, as elements. Thousands of them appear at once: made by hand they cost a tenth of what components
// cost.

import type { Line } from '../../../transcript/lines'
import { inert } from '../../../transcript/script'

/** What is written beside a line's text. */
export type Labels = { time: (line: Line) => string; fast: (line: Line) => string | undefined }

let pattern: HTMLElement | null = null

function model(): HTMLElement {
  if (pattern) return pattern
  pattern = document.createElement('li')
  const button = document.createElement('button')
  button.type = 'button'
  button.tabIndex = -1
  button.append('')
  const text = document.createElement('p')
  text.append('')
  pattern.append(button, text)
  return pattern
}

/** The element of a line: its time as a button, and its text as one text node. */
export function row(line: Line, { time, fast }: Labels): HTMLElement {
  const made = model().cloneNode(true) as HTMLElement
  made.id = `line-${line.key}`
  made.dataset.key = String(line.key)
  const label = fast(line)
  if (label) made.dataset.fast = label
  // A copy leaves empty texts out in some browsers, so both are made here.
  made.firstElementChild!.textContent = time(line)
  made.lastElementChild!.textContent = inert(line.text)
  return made
}

/** An attachment that fills a list with lines. */
export const filled = (lines: readonly Line[], labels: Labels) => (list: HTMLElement) => {
  const rows = document.createDocumentFragment()
  for (const line of lines) rows.append(row(line, labels))
  list.replaceChildren(rows)
  return () => list.replaceChildren()
}
