const unescapedCharacters = Array.from({ length: 256 }, (_, code) =>
  /[A-Za-z0-9\-_.~]/.test(String.fromCharCode(code)),
);
const escapes = Array.from({ length: 256 }, (_, code) =>
  unescapedCharacters[code]
    ? String.fromCharCode(code)
    : `%${code.toString(16).toUpperCase().padStart(2, '0')}`,
);

const hexDigit = (code: number): number => {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
};

/** Undoes percent encoding; a `%` that no two hex digits follow stands for itself. Bytes that are not UTF-8 become U+FFFD. */
export function percentDecode(text: string, plusIsSpace: boolean): string {
  let isPlain = true;
  for (let i = 0; i < text.length && isPlain; i++) {
    const code = text.charCodeAt(i);
    isPlain = code !== 37 && code < 128 && (code !== 43 || !plusIsSpace);
  }
  if (isPlain) return text;
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    // Text from a request line holds one byte in each character.
    let byte = text.charCodeAt(i) & 0xff;
    if (byte === 37) {
      const high = hexDigit(text.charCodeAt(i + 1));
      const low = hexDigit(text.charCodeAt(i + 2));
      if (high >= 0 && low >= 0) {
        byte = high * 16 + low;
        i += 2;
      }
    } else if (byte === 43 && plusIsSpace) byte = 32;
    bytes[length++] = byte;
  }
  return bytes.toString('utf8', 0, length);
}

/** Percent encoding of all but unreserved characters, in upper case. */
export function percentEncode(text: string): string {
  let encoded = '';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 128) {
      for (const byte of Buffer.from(text.slice(i))) encoded += escapes[byte];
      return encoded;
    }
    encoded += escapes[code];
  }
  return encoded;
}
