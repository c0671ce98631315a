import type { Catalogue } from '../../lib/i18n.svelte'
import app from './app'
import errors from './errors'
import hints from './hints'
import inbox from './inbox'
import models from './models'
import palette from './palette'
import schedules from './schedules'
import task from './task'
import workflows from './workflows'

export default { ...app, ...errors, ...hints, ...inbox, ...task, ...workflows, ...schedules, ...models, ...palette } satisfies Catalogue
