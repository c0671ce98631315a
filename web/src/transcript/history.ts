// Undo and redo over states that never change. Typing on one line is one step as long as it goes on.

type Entry<T> = { state: T; tag: string; at: number }

/** How long a pause may be within one step, in milliseconds. */
const pause = 1000
/** How many steps are kept. */
const most = 300

/** A stack of states with a place in it. */
export class History<T> {
  #entries: Entry<T>[]
  #at = 0

  constructor(
    first: T,
    private readonly now: () => number = Date.now,
  ) {
    this.#entries = [{ state: first, tag: '', at: 0 }]
  }

  /** The state as it is now. */
  get state(): T {
    return this.#entries[this.#at]!.state
  }
  get canUndo(): boolean {
    return this.#at > 0
  }
  get canRedo(): boolean {
    return this.#at < this.#entries.length - 1
  }

  /** Makes a state the newest one. Changes with the same tag that follow each other closely are one step. */
  push(state: T, tag = ''): void {
    if (state === this.state) return
    const top = this.#entries[this.#at]!
    const at = this.now()
    this.#entries.length = this.#at + 1
    if (tag && this.#at > 0 && top.tag === tag && at - top.at < pause) {
      this.#entries[this.#at] = { state, tag, at }
      return
    }
    this.#entries.push({ state, tag, at })
    if (this.#entries.length > most + 1) this.#entries.shift()
    this.#at = this.#entries.length - 1
  }

  /** Goes a step back; the state as it then is. */
  undo(): T {
    if (this.canUndo) this.#at -= 1
    this.#entries[this.#at]!.tag = ''
    return this.state
  }

  /** Goes a step forward again. */
  redo(): T {
    if (this.canRedo) this.#at += 1
    return this.state
  }
}
