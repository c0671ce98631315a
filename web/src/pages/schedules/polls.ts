import { t } from '../../lib/i18n.svelte'
import type { Poll } from '../../lib/schema'

/** What a look at a source has brought, in a sentence. */
export function pollWords(poll: Poll): string {
  if (poll.not_modified) return t('schedules.poll.same')
  const parts = [
    t('schedules.new-items', { n: poll.new }),
    poll.seen ? t('schedules.poll.seen', { n: poll.seen }) : '',
    poll.skipped ? t('schedules.poll.skipped', { n: poll.skipped }) : '',
    poll.unavailable ? t('schedules.poll.unavailable', { n: poll.unavailable }) : '',
  ]
  return parts.filter(Boolean).join(' · ')
}
