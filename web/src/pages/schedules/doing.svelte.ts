import { problem, type Trouble } from '../../lib/api'

/** Something that is being done, and how the last thing failed. */
export class Doing {
  busy = $state(false)
  failed: { what: string; error: Trouble } | null = $state.raw(null)

  /** `after` shows what has come of it. */
  constructor(private readonly after: () => Promise<unknown>) {}

  /** Does something; `what` is said when it fails. */
  async act(what: string, call: () => Promise<unknown>): Promise<void> {
    this.busy = true
    this.failed = null
    try {
      await call()
      await this.after()
    } catch (error) {
      this.failed = { what, error: problem(error) }
    } finally {
      this.busy = false
    }
  }
}
