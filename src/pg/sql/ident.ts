const quoted = new Map<string, string>();
const maxCached = 20_000;

/**
 * Quotes one identifier for SQL text: the only function of the project that does so.
 * A NUL character cannot be part of an identifier and is rejected, since the protocol would end the text there.
 */
export function quoteIdent(name: string): string {
  const known = quoted.get(name);
  if (known !== undefined) return known;
  if (name.includes('\0')) throw new RangeError('an identifier cannot contain NUL');
  const text = `"${name.replaceAll('"', '""')}"`;
  if (quoted.size >= maxCached) quoted.clear();
  quoted.set(name, text);
  return text;
}
