/** The parts of a sentence: what stands between backticks is code. One that is never closed is only a mark. */
export function ticked(text: string): { text: string; code: boolean }[] {
  return text.split(/(`[^`]+`)/).flatMap((part, place) => {
    const code = place % 2 === 1
    return part ? [{ text: code ? part.slice(1, -1) : part, code }] : []
  })
}
