import app from './app'
import errors from './errors'
import inbox from './inbox'
import models from './models'
import palette from './palette'
import schedules from './schedules'
import task from './task'
import workflows from './workflows'

export default { ...app, ...errors, ...inbox, ...task, ...workflows, ...schedules, ...models, ...palette }
