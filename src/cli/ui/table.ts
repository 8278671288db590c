import { textWidth as width } from './text-width.ts';

const pad = (text: string, to: number): string => text + ' '.repeat(Math.max(0, to - width(text)));

/**
 * Draws rows in a box with rounded corners, under a title that spans them. Where the terminal is narrower, the rows stand
 * below the title without lines: a value that is cut could not be copied.
 */
export function box(
  title: string,
  rows: readonly (readonly [string, string])[],
  available: number = process.stdout.columns || Number.POSITIVE_INFINITY,
): string {
  const left = Math.max(...rows.map(([name]) => width(name)));
  const right = Math.max(...rows.map(([, value]) => width(value)), width(title) - left - 3);
  if (left + right + 7 > available)
    return [title, ...rows.map(([name, value]) => `  ${pad(name, left)}  ${value}`)].join('\n');
  const rule = (start: string, middle: string, end: string): string =>
    `${start}${'─'.repeat(left + 2)}${middle}${'─'.repeat(right + 2)}${end}`;
  return [
    rule('╭', '─', '╮'),
    `│ ${pad(title, left + right + 3)} │`,
    rule('├', '┬', '┤'),
    ...rows.map(([name, value]) => `│ ${pad(name, left)} │ ${pad(value, right)} │`),
    rule('╰', '┴', '╯'),
  ].join('\n');
}

/** Aligns rows in columns below a header. */
export function columns(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, index) => Math.max(...all.map((row) => width(row[index] ?? ''))));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, index) => pad(cell, widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(header), widths.map((size) => '-'.repeat(size)).join('  '), ...rows.map(line)].join('\n');
}
