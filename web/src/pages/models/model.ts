// What a model's row says. Pure.

import type { Model, ModelPull } from '../../lib/schema'

/** How far a download is, 0 to 1; null where its size is not known. */
export const part = (pull: ModelPull): number | null => (pull.total ? Math.min(1, pull.received / pull.total) : null)

/** How many milliseconds a download still takes at the speed that it has; null where that cannot be said. */
export function left(pull: ModelPull): number | null {
  if (pull.state !== 'running' || !pull.total || pull.bytes_per_second <= 0) return null
  return (Math.max(0, pull.total - pull.received) / pull.bytes_per_second) * 1000
}

/** Which languages it knows: its file says it, or for published ones the name; null where neither does. */
export function languages(model: Pick<Model, 'name' | 'info' | 'official'>): 'english' | 'many' | null {
  if (model.info) return model.info.multilingual ? 'many' : 'english'
  if (!model.official) return null
  return /\.en(-|$)/.test(model.name) ? 'english' : 'many'
}

/** How its weights are stored: `f16`, `q5_0`, …; null where nobody knows. */
export function weights(model: Pick<Model, 'name' | 'info' | 'official'>): string | null {
  return model.info?.ftype ?? /-(q\d+_\d+)$/.exec(model.name)?.[1] ?? (model.official ? 'f16' : null)
}

/** Whether a download began and can be gone on with. */
export const isBegun = (model: Pick<Model, 'pull' | 'present'>): boolean =>
  !model.present && !!model.pull && model.pull.state !== 'running' && model.pull.received > 0

/** Those that are here, and those that can be had; the one that tasks get first. */
export function sorted(models: Model[]): { here: Model[]; absent: Model[] } {
  const first = [...models].sort((a, b) => Number(b.default) - Number(a.default))
  return { here: first.filter((model) => model.present), absent: first.filter((model) => !model.present) }
}

/** The downloads that ran before and are here now. */
export function arrived(before: Model[], now: Model[]): Model[] {
  const ran = new Set(before.filter((model) => model.pull?.state === 'running').map((model) => model.name))
  return now.filter((model) => ran.has(model.name) && model.pull?.state === 'done')
}
