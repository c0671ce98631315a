import type { Component } from 'svelte'
import { bring } from './lib/i18n.svelte'

/** What a page's module exports. */
export type Load = () => Promise<{ default: Component<any> }>

/** The pages: an address below the base, and the code that comes when it is wanted. The first that matches counts. */
export const routes: [RegExp, Load][] = [
  [/^$/, () => import('./pages/inbox/Inbox.svelte')],
  [/^tasks\/(?<id>\d+)$/, () => import('./pages/task/Task.svelte')],
  [/^tasks\/(?<id>\d+)\/run$/, () => import('./pages/task/run/Run.svelte')],
  [/^workflows$/, () => import('./pages/workflows/Workflows.svelte')],
  [/^workflows\/(?<name>[^/]+)(?:\/(?<tab>[^/]+))?$/, () => import('./pages/workflows/Workflow.svelte')],
  [/^(?:schedules|sources)(?:\/(?<one>\d+))?$/, () => import('./pages/schedules/Schedules.svelte')],
  [/^models$/, () => import('./pages/models/Models.svelte')],
  [/^settings(?:\/(?<tab>[^/]+))?$/, () => bring('settings', () => import('./pages/settings/Settings.svelte'))],
]

/** The page for every other address. */
export const notFound: Load = () => import('./pages/notfound/NotFound.svelte')
