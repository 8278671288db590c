/** A piece of a program in a language of the C family or Python: enough to follow chains of calls. */
export type Token = {
  readonly kind: 'name' | 'text' | 'mark';
  /** The name, the content of the string, or the character. */
  readonly value: string;
  readonly line: number;
};

/** Which comments a language has. */
export type Comments = 'slashes' | 'hash';

const SLASHES = String.raw`(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)`;
const HASH = String.raw`(?<comment>#[^\n]*)`;
const STRINGS = String.raw`[rfbuRFBU]{0,2}(?:"""(?<long>[\s\S]*?)"""|'''(?<longer>[\s\S]*?)'''|"(?<double>(?:[^"\\\n]|\\.)*)"|'(?<single>(?:[^'\\\n]|\\.)*)')`;
const REST = String.raw`(?<name>[\p{L}_$][\p{L}\p{N}_$]*)|(?<mark>[^\s])`;

/** Splits a program into tokens; comments and white space are left out. */
export function tokensOf(text: string, comments: Comments): Token[] {
  const pattern = new RegExp(`${comments === 'hash' ? HASH : SLASHES}|${STRINGS}|${REST}`, 'gu');
  const tokens: Token[] = [];
  let line = 1;
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    line += countLines(text, at, match.index);
    at = match.index;
    const { comment, name, mark, long, longer, double, single } = match.groups ?? {};
    if (comment !== undefined) continue;
    if (name !== undefined) tokens.push({ kind: 'name', value: name, line });
    else if (mark !== undefined) tokens.push({ kind: 'mark', value: mark, line });
    else tokens.push({ kind: 'text', value: long ?? longer ?? double ?? single ?? '', line });
  }
  return tokens;
}

function countLines(text: string, from: number, to: number): number {
  let lines = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
