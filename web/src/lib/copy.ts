/** Puts a text on the clipboard; says whether it is there. The clipboard is missing where a page came over plain http. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyByHand(text)
  }
}

function copyByHand(text: string): boolean {
  // A field outside of an open dialog could not be marked.
  const place = [...document.querySelectorAll('dialog:modal')].pop() ?? document.body
  const field = document.createElement('textarea')
  field.value = text
  field.className = 'visually-hidden'
  place.append(field)
  const before = document.activeElement as HTMLElement | null
  field.select()
  const done = document.execCommand('copy')
  field.remove()
  before?.focus()
  return done
}
