/*
 * The grammar of JSON, for the sake of the words in which upstream's library refuses a text. It goes over bytes, as
 * that does; whether a text is JSON at all is left to JSON.parse.
 *
 * Upstream: Go's encoding/json (scanner.go).
 */

/** Where a value, key or separator may stand; blanks before it are skipped. */
const blanks: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
const isHex = (byte: number): boolean => /[0-9a-fA-F]/.test(String.fromCharCode(byte));
const code = (char: string): number => char.charCodeAt(0);
const endOfInput = 'unexpected end of JSON input';

class SyntaxFault extends Error {}

/** Why a text is not JSON, in the words of Go; null when it is. */
export function jsonSyntaxError(text: string): string | null {
  const scanner = createScanner(Buffer.from(text));
  try {
    scanner.value();
    scanner.end();
    return null;
  } catch (thrown) {
    if (thrown instanceof SyntaxFault) return thrown.message;
    throw thrown;
  }
}

function createScanner(bytes: Buffer) {
  let at = 0;
  const refuse = (byte: number, context: string): never => {
    throw new SyntaxFault(`invalid character ${quoted(byte)} ${context}`);
  };
  /** The next byte that is no blank, taken. */
  const significant = (): number => {
    while (blanks.has(bytes[at] ?? -1)) at++;
    const byte = bytes[at++];
    if (byte === undefined) throw new SyntaxFault(endOfInput);
    return byte;
  };
  /** The next byte inside a number, name or string, taken; Go scans a blank after the end. */
  const next = (): number => bytes[at++] ?? 0x20;
  const peek = (): number => bytes[at] ?? 0x20;

  function value(first = significant()): void {
    const name = ['true', 'false', 'null'].find((candidate) => code(candidate) === first);
    if (first === code('{')) object();
    else if (first === code('[')) array();
    else if (first === code('"')) string();
    else if (first === code('-') || isDigit(first)) number(first);
    else if (name !== undefined) literal(name);
    else refuse(first, 'looking for beginning of value');
  }

  function object(): void {
    let first = significant();
    if (first === code('}')) return;
    for (;;) {
      if (first !== code('"')) refuse(first, 'looking for beginning of object key string');
      string();
      const colon = significant();
      if (colon !== code(':')) refuse(colon, 'after object key');
      value();
      const separator = significant();
      if (separator === code('}')) return;
      if (separator !== code(',')) refuse(separator, 'after object key:value pair');
      first = significant();
    }
  }

  function array(): void {
    let first = significant();
    if (first === code(']')) return;
    for (;;) {
      value(first);
      const separator = significant();
      if (separator === code(']')) return;
      if (separator !== code(',')) refuse(separator, 'after array element');
      first = significant();
    }
  }

  function string(): void {
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined) throw new SyntaxFault(endOfInput);
      if (byte === code('"')) return;
      if (byte === code('\\')) escaped();
      else if (byte < 0x20) refuse(byte, 'in string literal');
    }
  }

  function escaped(): void {
    const byte = next();
    if (byte !== code('u')) {
      if (!'bfnrt\\/"'.includes(String.fromCharCode(byte))) refuse(byte, 'in string escape code');
      return;
    }
    for (let i = 0; i < 4; i++) {
      const digit = next();
      if (!isHex(digit)) refuse(digit, 'in \\u hexadecimal character escape');
    }
  }

  function number(sign: number): void {
    const first = sign === code('-') ? next() : sign;
    if (!isDigit(first)) refuse(first, 'in numeric literal');
    if (first !== code('0')) digits();
    if (peek() === code('.')) {
      at++;
      demandDigit('after decimal point in numeric literal');
    }
    if (peek() === code('e') || peek() === code('E')) {
      at++;
      if (peek() === code('+') || peek() === code('-')) at++;
      demandDigit('in exponent of numeric literal');
    }
  }

  function demandDigit(context: string): void {
    const byte = next();
    if (!isDigit(byte)) refuse(byte, context);
    digits();
  }

  function digits(): void {
    while (isDigit(peek())) at++;
  }

  function literal(name: string): void {
    for (const expected of name.slice(1)) {
      const byte = next();
      if (byte !== code(expected)) refuse(byte, `in literal ${name} (expecting '${expected}')`);
    }
  }

  return {
    value: () => value(),
    end(): void {
      while (blanks.has(bytes[at] ?? -1)) at++;
      const byte = bytes[at];
      if (byte !== undefined) refuse(byte, 'after top-level value');
    },
  };
}

const named: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  39: "\\'",
  92: '\\\\',
};

/** A byte as Go quotes it. */
function quoted(byte: number): string {
  const hex = byte.toString(16).padStart(2, '0');
  const isPlain = byte >= 0x20 && byte !== 0x7f && (byte < 0x80 || byte > 0xa0) && byte !== 0xad;
  const text =
    named[byte] ?? (isPlain ? String.fromCharCode(byte) : byte < 0x80 ? `\\x${hex}` : `\\u00${hex}`);
  return `'${text}'`;
}
