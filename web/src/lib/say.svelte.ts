// One polite region speaks for the whole page, so that screen readers hear one voice.

const state = $state({ text: '' })

/** What is to be read out now. */
export const said = () => state.text

/** Has a sentence read out. The same sentence again is read again. */
export function say(text: string): void {
  state.text = state.text === text ? `${text}\u00a0` : text
}
