/** An array as the server prints it: values, nulls, and nested arrays. */
export type ArrayText = readonly (string | null | ArrayText)[];

/**
 * Parses an array's text form: `{1,NULL,"a \"b\""}`, nested braces, and an optional prefix of bounds (`[0:1]={...}`).
 * Throws `RangeError` for text that no server prints.
 */
export function parseArrayText(text: string, delimiter: string): ArrayText {
  const start = text.indexOf('{');
  if (start === -1) throw new RangeError('an array must start with a brace');
  const cursor = { at: start };
  return parseBraces(text, delimiter, cursor);
}

function parseBraces(text: string, delimiter: string, cursor: { at: number }): ArrayText {
  const items: (string | null | ArrayText)[] = [];
  cursor.at++;
  while (cursor.at < text.length) {
    const char = text[cursor.at];
    if (char === '}') {
      cursor.at++;
      return items;
    }
    if (char === delimiter) cursor.at++;
    else if (char === '{') items.push(parseBraces(text, delimiter, cursor));
    else if (char === '"') items.push(parseQuoted(text, cursor));
    else items.push(parseBare(text, delimiter, cursor));
  }
  throw new RangeError('an array must end with a brace');
}

/** Reads a quoted part; a doubled quote or a backslash stands before a character that is meant as it is. */
export function parseQuoted(text: string, cursor: { at: number }): string {
  let value = '';
  cursor.at++;
  while (cursor.at < text.length) {
    const char = text[cursor.at];
    if (char === '\\') {
      value += text[cursor.at + 1] ?? '';
      cursor.at += 2;
    } else if (char === '"' && text[cursor.at + 1] === '"') {
      value += '"';
      cursor.at += 2;
    } else if (char === '"') {
      cursor.at++;
      return value;
    } else {
      value += char;
      cursor.at++;
    }
  }
  throw new RangeError('a quoted value must end with a quote');
}

function parseBare(text: string, delimiter: string, cursor: { at: number }): string | null {
  let value = '';
  while (cursor.at < text.length) {
    const char = text[cursor.at];
    if (char === delimiter || char === '}') break;
    if (char === '\\') {
      value += text[cursor.at + 1] ?? '';
      cursor.at += 2;
      continue;
    }
    value += char;
    cursor.at++;
  }
  return value.toUpperCase() === 'NULL' ? null : value;
}

/** The text form of an array of one dimension, which no value of it can leave. */
export const printArray = (items: readonly (string | null)[]): string =>
  `{${items.map(printItem).join(',')}}`;

const printItem = (item: string | null): string =>
  item === null ? 'NULL' : `"${item.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
