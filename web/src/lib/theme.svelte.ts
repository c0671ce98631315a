import { keep, kept } from './keep'

/** `system` follows the machine. */
export type Theme = 'system' | 'light' | 'dark'

const known = (text: string | null): Theme => (text === 'light' || text === 'dark' ? text : 'system')
const state = $state({ theme: known(kept('theme')) })

/** The chosen theme. */
export const theme = () => state.theme

/** Chooses a theme and keeps the choice. */
export function setTheme(wanted: Theme): void {
  state.theme = wanted
  keep('theme', wanted === 'system' ? null : wanted)
  applyTheme()
}

/** Writes the choice to the document; called before anything is drawn. */
export function applyTheme(): void {
  if (state.theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = state.theme
}
