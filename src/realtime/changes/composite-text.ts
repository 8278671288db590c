import { parseQuoted } from './array-text.ts';

/**
 * Parses a row's text form `(1,,"a, b")`: an empty field is null, `""` is empty text.
 * Throws `RangeError` for text that no server prints.
 */
export function parseCompositeText(text: string): (string | null)[] {
  if (!text.startsWith('(') || !text.endsWith(')')) throw new RangeError('a row must stand in parentheses');
  const fields: (string | null)[] = [];
  const end = text.length - 1;
  const cursor = { at: 1 };
  for (;;) {
    fields.push(parseField(text, end, cursor));
    if (cursor.at >= end) return fields;
    cursor.at++;
  }
}

function parseField(text: string, end: number, cursor: { at: number }): string | null {
  let value: string | null = null;
  while (cursor.at < end && text[cursor.at] !== ',') {
    if (text[cursor.at] === '"') {
      value = (value ?? '') + parseQuoted(text, cursor);
    } else if (text[cursor.at] === '\\') {
      value = (value ?? '') + (text[cursor.at + 1] ?? '');
      cursor.at += 2;
    } else {
      value = (value ?? '') + text[cursor.at];
      cursor.at++;
    }
  }
  return value;
}
