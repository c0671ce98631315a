// A task once more, with other options.

import type { NewTask, Task } from '../../../lib/schema'

/** What somebody can choose. An empty text is the daemon's usual choice. */
export type Wish = { model: string; language: string; zh: string; prompt: string; words: boolean; fresh: boolean }

const text = (value: unknown) => (typeof value === 'string' ? value : '')

/** What the task was made with. */
export function wish(options: Record<string, unknown>): Wish {
  return {
    model: text(options.model),
    language: text(options.language),
    zh: text(options.zh) || 'none',
    prompt: text(options.initial_prompt),
    words: options.word_timestamps === true,
    fresh: false,
  }
}

/** The new task: what the old one had, with the wishes in their places. Media that is here is not fetched again. */
export function changed(task: Task, wanted: Wish): NewTask {
  const options: Record<string, unknown> = { ...task.options }
  const put = (name: string, value: unknown) => {
    if (value === '' || value === false) delete options[name]
    else options[name] = value
  }
  put('model', wanted.model.trim())
  put('language', wanted.language.trim())
  put('zh', wanted.zh === 'none' ? '' : wanted.zh)
  put('initial_prompt', wanted.prompt.trim())
  put('word_timestamps', wanted.words)
  put('no_cache', wanted.fresh)
  const { link, ...params } = task.params as Record<string, unknown>
  const media = task.media?.available ? `media:${task.media.id}` : typeof link === 'string' && link ? link : task.link
  return {
    workflow: task.workflow,
    ...(media ? { link: media } : {}),
    params,
    options,
    priority: task.priority,
    ...(task.callback_url ? { callback_url: task.callback_url } : {}),
  } as NewTask
}
