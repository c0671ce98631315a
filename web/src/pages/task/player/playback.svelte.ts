// What plays, and where it is. The time of every frame goes to listeners; only whole seconds are state, so that nothing is drawn anew
// sixty times a second.

/** The speeds that can be chosen. */
export const speeds = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3]

type Listener = (time: number) => void

/** One media element and those who follow it. */
export class Playback {
  playing = $state(false)
  /** The length in seconds; 0 while nobody knows it. */
  duration = $state(0)
  /** Where it is, in whole seconds. */
  second = $state(0)
  rate = $state(1)
  /** Where somebody has put it, or where it was stopped: what the address says. */
  mark: number | null = $state(null)
  failed = $state(false)
  #media: HTMLMediaElement | null = null
  #listeners = new Set<Listener>()
  #wanted = 0
  #frame = 0

  /** Where it is, to the millisecond. */
  get time(): number {
    return this.#media?.readyState ? this.#media.currentTime : this.#wanted
  }
  get hasMedia(): boolean {
    return this.#media !== null
  }

  /** Calls for each frame while it plays, and after each jump; returns what ends it. */
  follow(listener: Listener): () => void {
    this.#listeners.add(listener)
    listener(this.time)
    return () => this.#listeners.delete(listener)
  }

  /** An attachment for the media element. */
  attach = (media: HTMLMediaElement): (() => void) => {
    this.#media = media
    const known = () => {
      this.failed = false
      if (Number.isFinite(media.duration)) this.duration = media.duration
      media.playbackRate = this.rate
      if (this.#wanted && media.currentTime === 0) media.currentTime = this.#wanted
    }
    const events: [string, () => void][] = [
      ['loadedmetadata', known],
      ['durationchange', () => Number.isFinite(media.duration) && (this.duration = media.duration)],
      ['play', () => { this.playing = true; this.#run() }],
      ['pause', () => { this.playing = false; this.mark = media.currentTime }],
      ['ended', () => (this.playing = false)],
      ['seeking', () => this.#tell()],
      ['timeupdate', () => this.#tell()],
      ['error', () => (this.failed = true)],
    ]
    for (const [name, handler] of events) media.addEventListener(name, handler)
    return () => {
      for (const [name, handler] of events) media.removeEventListener(name, handler)
      cancelAnimationFrame(this.#frame)
      this.#wanted = media.currentTime
      this.#media = null
      this.playing = false
    }
  }

  /** Goes to a time. */
  seek(time: number): void {
    const end = this.duration || this.#media?.duration || Infinity
    const to = Math.max(0, Math.min(time, Number.isFinite(end) ? end : time))
    this.#wanted = to
    if (this.#media?.readyState) this.#media.currentTime = to
    this.mark = to
    this.#tell(to)
  }

  /** Starts or stops. */
  toggle(): void {
    if (this.#media?.paused) void this.play()
    else this.#media?.pause()
  }

  /** Starts. */
  async play(): Promise<void> {
    // Refused, or stopped before it began: the button shows what is.
    await this.#media?.play().catch(() => undefined)
  }

  /** Plays at another speed. */
  setRate(rate: number): void {
    this.rate = rate
    if (this.#media) this.#media.playbackRate = rate
  }

  /** The next speed up or down. */
  faster(by: 1 | -1): void {
    this.setRate(speeds[Math.max(0, Math.min(speeds.length - 1, speeds.indexOf(this.rate) + by))] ?? 1)
  }

  /** Loads the media once more, where it was: after a sign-in, or when the daemon is back. */
  again(): void {
    if (!this.#media) return
    this.#wanted = this.#media.currentTime || this.#wanted
    this.failed = false
    this.#media.load()
  }

  #run(): void {
    cancelAnimationFrame(this.#frame)
    const step = () => {
      this.#tell()
      if (this.playing) this.#frame = requestAnimationFrame(step)
    }
    this.#frame = requestAnimationFrame(step)
  }

  #tell(time = this.time): void {
    const second = Math.floor(time)
    if (second !== this.second) this.second = second
    for (const listener of this.#listeners) listener(time)
  }
}
