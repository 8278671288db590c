const unitNs: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/**
 * Milliseconds of a duration as Go writes them (`24h`, `1h30m`, `-1.5s`, `0`). Throws `RangeError` in Go's words for
 * anything else.
 */
export function parseGoDuration(text: string): number {
  const match = /^([+-]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.exec(text);
  if (/^[+-]?0$/.test(text)) return 0;
  if (match === null) throw new RangeError(`time: ${problemOf(text)}duration ${JSON.stringify(text)}`);
  const parts = [...text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)];
  const ns = parts.reduce((sum, part) => sum + Number(part[1]) * (unitNs[part[2] ?? ''] ?? 0), 0);
  return (match[1] === '-' ? -ns : ns) / 1e6;
}

/** What is wrong with the first number that has no unit that there is. */
function problemOf(text: string): string {
  const rest = text.replace(/^[+-]/, '').replace(/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*/, '');
  const [, number = '', unit = ''] = /^(\d+\.?\d*|\.\d+)?([^\d.]*)/.exec(rest) ?? [];
  if (number === '') return 'invalid ';
  return unit === '' ? 'missing unit in ' : `unknown unit ${JSON.stringify(unit)} in `;
}
