// The editor of definitions. It lives in a shadow root, where its style sheets are made by script: the page's policy allows no
// style tag. This file and what it imports are loaded when somebody edits.

import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, completionStatus, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { json } from '@codemirror/lang-json'
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from '@codemirror/language'
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from '@codemirror/lint'
import { EditorState, Transaction } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view'
import type { Completion } from '../../../workflow/completion'
import type { Range } from '../../../workflow/json'
import type { Placed } from '../../../workflow/problems'
import { colours, looks } from './looks'

/** What the editor needs of the page around it. */
export interface Around {
  text: string
  /** What the editor is called, for those who do not see it. */
  label: string
  /** Its own words, by the English ones that CodeMirror uses. */
  phrases: Record<string, string>
  /** What is read out and written for something that can be put in place. */
  fix: (suggestion: string) => string
  changed: (text: string) => void
  caret: (offset: number) => void
  save: () => void
  complete: (text: string, offset: number) => Completion | undefined
}

/** The editor, once it is there. */
export interface Editor {
  /** Puts another text in; it can be undone. */
  replace(text: string): void
  show(problems: Placed[]): void
  /** Selects a part, scrolls to it and puts the focus there. */
  select(range: Range): void
  destroy(): void
}

/** Puts an editor into an element that is otherwise empty. */
export function mount(host: HTMLElement, around: Around): Editor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  root.replaceChildren()
  const view = new EditorView({ root, parent: root, state: EditorState.create({ doc: around.text, extensions: extensions(around) }) })
  view.dom.style.height = '100%'
  // Outside, an event seems to come from the host: the page would take what is typed for its own keys.
  const keep = (event: Event) => event.stopPropagation()
  host.addEventListener('keydown', keep)
  return {
    replace: (text) => {
      if (text !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: 0 } })
    },
    show: (problems) => view.dispatch(setDiagnostics(view.state, problems.map((problem) => diagnostic(problem, view.state.doc.length, around)))),
    select: ({ from, to }) => {
      const end = view.state.doc.length
      const selection = { anchor: Math.min(from, end), head: Math.min(to, end) }
      view.dispatch({ selection, effects: EditorView.scrollIntoView(selection.anchor, { y: 'center' }) })
      view.focus()
    },
    destroy: () => {
      host.removeEventListener('keydown', keep)
      view.destroy()
    },
  }
}

function extensions(around: Around) {
  return [
    lineNumbers(), foldGutter(), lintGutter(), history(), drawSelection(), indentOnInput(), indentUnit.of('  '), bracketMatching(), closeBrackets(),
    highlightActiveLine(), highlightActiveLineGutter(), json(), colours, looks, EditorView.lineWrapping,
    EditorState.phrases.of(around.phrases),
    EditorView.contentAttributes.of({ 'aria-label': around.label, tabindex: '0', spellcheck: 'false', autocapitalize: 'off' }),
    EditorView.domEventHandlers({ beforeinput: overSelection }),
    autocompletion({ override: [(context) => offers(context, around)], icons: false }),
    keymap.of([
      { key: 'Mod-s', preventDefault: true, run: () => (around.save(), true) },
      // Tab leaves the editor, unless it takes what is offered: nobody is caught in it.
      { key: 'Tab', run: (view) => acceptCompletion(view) || completionStatus(view.state) !== null },
      ...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap,
    ]),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) around.changed(update.state.doc.toString())
      if (update.docChanged || update.selectionSet) around.caret(update.state.selection.main.head)
    }),
  ]
}

// Where a browser types over a selection, it wants to keep its looks by a style attribute, which the policy refuses and reports. So
// that is done here, as CodeMirror does it with what is pasted.
function overSelection(event: InputEvent, view: EditorView): boolean {
  const { main } = view.state.selection
  const { data } = event
  if (event.inputType !== 'insertText' || data === null || main.empty || view.composing) return false
  event.preventDefault()
  const insert = () => view.state.update(view.state.replaceSelection(data), { userEvent: 'input.type', scrollIntoView: true })
  if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, main.from, main.to, data, insert))) view.dispatch(insert())
  return true
}

function diagnostic(problem: Placed, length: number, around: Around): Diagnostic {
  const { code, message, severity, suggestion, fixes } = problem
  const [from, to] = [Math.min(problem.from, length), Math.min(problem.to, length)]
  const apply = (view: EditorView, start: number, end: number) =>
    view.dispatch({ changes: { from: start, to: end, insert: suggestion }, annotations: Transaction.userEvent.of('input.fix') })
  const actions = fixes && suggestion !== undefined ? [{ name: around.fix(suggestion), apply }] : []
  return { from, to, severity, source: code, message: problem.caret ? `${message}\n${problem.caret}` : message, actions }
}

function offers(context: CompletionContext, around: Around): CompletionResult | null {
  const before = context.state.sliceDoc(Math.max(context.pos - 1, 0), context.pos)
  if (!context.explicit && !/[\w"'.{[]/.test(before)) return null
  const text = context.state.doc.toString()
  const found = around.complete(text, context.pos)
  if (!found) return null
  // What is typed is compared with names, which have no quotes.
  const from = found.from + (text[found.from] === '"' && found.from < context.pos ? 1 : 0)
  const [ahead, behind] = [from - found.from, found.to - context.pos]
  const options = found.options.map(({ label, detail, info, insert, caret }) => ({
    label, detail, info,
    apply: (view: EditorView, _: unknown, start: number, end: number) => {
      const change = { from: start - ahead, to: Math.min(end + behind, view.state.doc.length), insert }
      view.dispatch({ changes: change, selection: { anchor: change.from + (caret ?? insert.length) }, userEvent: 'input.complete' })
    },
  }))
  return { from, options }
}
