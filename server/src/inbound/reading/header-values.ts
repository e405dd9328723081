/** All values of a header (`name` in lower case), as they stand, out of name, value, name, value …; in their order. */
export function headerValues(headers: readonly string[], name: string): readonly string[] {
  const values: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const there = headers[at] ?? ''
    if (there.length === name.length && there.toLowerCase() === name) values.push(headers[at + 1] ?? '')
  }
  return values
}
