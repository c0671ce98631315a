// The pages and actions that there are, in the page's language now.

import { language, locales, maybe, setLocale, t } from '../lib/i18n.svelte'
import { letters, setLetters } from '../lib/keys.svelte'
import { readable } from '../lib/readable'
import { go } from '../lib/router.svelte'
import type { Task } from '../lib/schema'
import { setTheme, theme } from '../lib/theme.svelte'
import { why } from '../pages/inbox/why'
import { tabs } from '../pages/settings/tabs'
import { inert } from '../transcript/script'
import type { Entry } from './entries'

/** Every page. */
export function pages(): Entry[] {
  const page = (path: string, text: string, words = path): Entry => ({ id: `page-${path.replace('/', '-')}`, group: 'pages', text, words, run: () => go(path || './') })
  return [
    page('', t('nav.inbox'), 'inbox tasks'),
    page('workflows', t('nav.workflows')),
    page('schedules', t('nav.schedules')),
    page('sources', t('schedules.sources'), 'sources feed follow'),
    page('models', t('nav.models'), 'models devices nodes'),
    page('settings', t('nav.settings')),
    ...tabs.map((tab) => page(`settings/${tab}`, t('palette.settings', { name: t(`settings.tab.${tab}`) }))),
  ]
}

/** Everything that can be done from anywhere. What is so already is not offered. */
export function actions(): Entry[] {
  const action = (id: string, text: string, run: () => unknown, words = id): Entry => ({ id, group: 'actions', text, words, run })
  return [
    action('paste', t('palette.paste'), () => inbox(), 'paste link add'),
    ...(['system', 'light', 'dark'] as const)
      .filter((name) => name !== theme())
      .map((name) => action(`theme-${name}`, t('palette.theme', { name: t(`settings.theme.${name}`) }), () => setTheme(name))),
    ...Object.entries(locales)
      .filter(([tag]) => tag !== language())
      .map(([tag, name]) => action(`language-${tag}`, t('palette.language', { name }), () => setLocale(tag), `language ${tag} 语言 語言`)),
    action('letters', letters() ? t('palette.letters-off') : t('palette.letters-on'), () => setLetters(!letters()), 'keys'),
  ]
}

/** What takes a link that was typed. */
export const pasted = (typed: string): Entry => ({ id: 'add', group: 'actions', text: t('palette.add'), run: () => inbox(typed) })

/** A task as something to go to. */
export const taskEntry = (task: Task, typed = ''): Entry => {
  const author = task.media?.author
  const reason = typed ? why(typed, { title: task.media?.title, link: task.link, author }) : null
  return {
    id: `task-${task.id}`,
    group: 'tasks',
    text: inert(task.media?.title || readable(task.link) || t('palette.task', { id: task.id })),
    more: reason && reason !== 'title' ? t(`inbox.found-${reason}`, { author: inert(author ?? '') }) : maybe(`status.${task.status}`, task.status),
    run: () => go(`tasks/${task.id}`),
  }
}

/** Goes to the box of the inbox, and writes into it what is given. */
async function inbox(text?: string): Promise<void> {
  await go('./')
  const box = await appears<HTMLTextAreaElement>('paste')
  if (!box) return
  box.focus()
  if (text === undefined) return
  box.value = box.value.trim() ? `${box.value.trimEnd()}\n${text}` : text
  box.dispatchEvent(new Event('input', { bubbles: true }))
}

/** An element by its id, once it is drawn; null where it does not come within a second. */
async function appears<T extends HTMLElement>(id: string): Promise<T | null> {
  for (let frame = 0; frame < 60; frame += 1) {
    const node = document.getElementById(id)
    if (node) return node as T
    await new Promise(requestAnimationFrame)
  }
  return null
}
