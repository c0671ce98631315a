/** Bars for a waveform: the loudest point under each, as a part of the loudest of all. */
export function bars(peaks: readonly number[], count: number): number[] {
  if (peaks.length === 0 || count <= 0) return []
  const loudest = Math.max(...peaks, 0.01)
  return Array.from({ length: count }, (_, bar) => {
    const from = Math.floor((bar * peaks.length) / count)
    const to = Math.max(from + 1, Math.floor(((bar + 1) * peaks.length) / count))
    return Math.max(...peaks.slice(from, to)) / loudest
  })
}

/** Which part of a media its sound is: a video can go on when its sound has ended. All of it while one of the lengths is not known. */
export const covered = (sound: number, media: number): number => (sound > 0 && media > sound ? sound / media : 1)
