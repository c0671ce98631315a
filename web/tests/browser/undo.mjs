// Ten seconds to take something back are enough for somebody, but a slow machine needs them for a few clicks.

const LONG = 200_000

/** Makes that time long on a page that is not opened yet. */
export const keepUndo = (page) =>
  page.addInitScript((long) => {
    const later = globalThis.setTimeout
    globalThis.setTimeout = (run, wait, ...more) => later(run, wait === 10_000 ? long : wait, ...more)
  }, LONG)
