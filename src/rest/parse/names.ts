import type { FieldReference, JsonStep } from './model.ts';
import type { Reader, Step } from './reader.ts';

const quote = 34;
const dollar = 36;
const dash = 45;
const dot = 46;
const colon = 58;
const greater = 62;
const backslash = 92;

const identifierCharacters = Array.from({ length: 128 }, (_, code) =>
  /[A-Za-z0-9_ $]/.test(String.fromCharCode(code)),
);
const keyCharacters = Array.from(
  { length: 128 },
  (_, code) => !'(-:.,>)'.includes(String.fromCharCode(code)),
);
const letter = /\p{L}/u;

/** End of the run of identifier characters that starts at an offset. */
function identifierEnd(text: string, from: number): number {
  let end = from;
  for (;;) {
    const code = text.charCodeAt(end);
    if (code < 128) {
      if (!identifierCharacters[code]) return end;
      end++;
    } else {
      // NaN, at the end of the text, comes here too.
      const char = text.codePointAt(end);
      if (char === undefined || !letter.test(String.fromCodePoint(char))) return end;
      end += char > 0xffff ? 2 : 1;
    }
  }
}

/** Letters, digits, `_`, `$` and inner spaces; outer spaces are dropped. */
export function identifier(reader: Reader): string | null {
  const start = reader.position;
  const end = identifierEnd(reader.text, start);
  if (end > start) reader.advance(end);
  if (reader.explaining) reader.miss('letter', 'digit');
  return end === start ? null : reader.text.slice(start, end).trim();
}

/** A text between double quotes, where a backslash takes the next character as it is. */
export function quoted(reader: Reader): string | null {
  if (reader.char(quote, '"\\""') === null) return null;
  const { text } = reader;
  let value = '';
  let from = reader.position;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      value += text.slice(from, at);
      reader.advance(at + 1);
      return value;
    }
    if (code === backslash) {
      value += text.slice(from, at);
      from = ++at;
    }
  }
  const endsInEscape = from === text.length && text.endsWith('\\');
  reader.advance(text.length);
  return endsInEscape ? reader.miss() : reader.miss('"\\\\"', '"\\""');
}

/** A dash that does not begin an arrow. */
const separatingDash = (reader: Reader): true | null => {
  if (reader.code !== dash) return reader.explaining ? reader.miss('"-"') : null;
  if (reader.text.charCodeAt(reader.position + 1) === greater)
    return reader.refuse(reader.position + 2, "'>'");
  reader.advance(reader.position + 1);
  return true;
};

function dashed(reader: Reader, part: Step<string>): string | null {
  const parts = reader.separated(part, separatingDash);
  if (parts === null) return null;
  return parts.length === 1 ? (parts[0] ?? null) : parts.join('-');
}

const anyName = (reader: Reader): string | null => {
  if (reader.code === quote) return quoted(reader);
  if (reader.explaining) quoted(reader);
  return dashed(reader, identifier);
};

/** Name of a column, relation, alias or hint. */
export const fieldName = (reader: Reader): string | null =>
  reader.labelled('field name (* or [a..z0..9_$])', anyName);

/** `.` */
export const delimiter = (reader: Reader): true | null => reader.char(dot, 'delimiter (.)');

const keyPart = (reader: Reader): string | null => {
  const start = reader.position;
  let end = start;
  while (end < reader.text.length && (keyCharacters[reader.text.charCodeAt(end)] ?? true)) end++;
  if (end > start) reader.advance(end);
  if (reader.explaining) reader.miss();
  return end === start ? null : reader.text.slice(start, end).trim();
};

const anyKey = (reader: Reader): string | null => {
  if (reader.code === quote) return quoted(reader);
  if (reader.explaining) quoted(reader);
  return dashed(reader, keyPart);
};

const key = (reader: Reader): string | null =>
  reader.labelled('any non reserved character different from: .,>()', anyKey);

const afterIndex = (reader: Reader): true | null =>
  reader.sees('->') || reader.sees('::') || reader.sees('.') || reader.sees(',') ? true : reader.end();

const index = (reader: Reader): string | null => {
  const isNegative = reader.char(dash, '"-"') === true;
  const start = reader.position;
  let end = start;
  while (reader.text.charCodeAt(end) >= 48 && reader.text.charCodeAt(end) <= 57) end++;
  if (end > start) reader.advance(end);
  if (reader.explaining) reader.miss('digit');
  if (end === start || afterIndex(reader) === null) return null;
  return `${isNegative ? '-' : '+'}${reader.text.slice(start, end)}`;
};

const jsonStep = (reader: Reader): JsonStep | null => {
  const arrow = reader.take('->>') ? '->>' : reader.take('->') ? '->' : null;
  if (arrow === null) return null;
  const position = reader.attempt(index);
  if (position !== null) return { arrow, kind: 'index', text: position };
  const name = reader.attempt(key);
  return name === null ? null : { arrow, kind: 'key', text: name };
};

const noPath: readonly JsonStep[] = [];

/** Arrows after a name; none is fine. */
export function jsonPath(reader: Reader): readonly JsonStep[] | null {
  if (!reader.explaining && reader.code !== dash) return noPath;
  return reader.many(jsonStep);
}

/** A name with its JSON path. */
export function field(reader: Reader): FieldReference | null {
  reader.skipSpace();
  const name = fieldName(reader);
  if (name === null) return null;
  const path = jsonPath(reader);
  if (path === null) return null;
  reader.skipSpace();
  return { name, path };
}

const aliasThenColon = (reader: Reader): string | null => {
  const name = fieldName(reader);
  if (name === null || reader.char(colon, '":"') === null) return null;
  if (reader.code === colon) return reader.refuse(reader.position + 1, "':'");
  return name;
};

/** `name:` before what it renames; a double colon is a cast and no alias. Null for none. */
export const alias = (reader: Reader): string | null => reader.attempt(aliasThenColon);

/** The plain name that ends at a comma, a parenthesis or the end: by far the commonest item. Null for anything else. */
export function plainName(reader: Reader): string | null {
  const { text, position } = reader;
  let end = position;
  while (identifierCharacters[text.charCodeAt(end)] && text.charCodeAt(end) !== dollar) end++;
  if (end === position) return null;
  const code = text.charCodeAt(end);
  if (end < text.length && code !== 44 && code !== 41) return null;
  reader.advance(end);
  return text.slice(position, end).trim();
}
