import type { Catalogue } from '../../lib/i18n.svelte'
import app from './app'
import inbox from './inbox'
import models from './models'
import schedules from './schedules'
import settings from './settings'
import task from './task'
import workflows from './workflows'

export default { ...app, ...inbox, ...task, ...workflows, ...schedules, ...models, ...settings } satisfies Catalogue
