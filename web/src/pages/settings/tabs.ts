/** The parts of the settings, as they stand in the address: `settings/<tab>`. */
export const tabs = ['appearance', 'tokens', 'identities', 'secrets', 'callbacks', 'doctor', 'about'] as const

/** One of them. */
export type Tab = (typeof tabs)[number]
