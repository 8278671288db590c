/** A header of the answer. */
export type Header = readonly [name: string, value: string];

const tokenShape = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Whether every character can stand in a header line as it is. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 126 || (code < 32 && code !== 9)) return false;
  }
  return true;
}

/** A value as a header line carries it: the bytes of its UTF-8, one in each character, without control characters. */
export function headerText(value: string): string {
  if (isPlain(value)) return value;
  let text = '';
  for (const byte of Buffer.from(value)) if (byte > 31 && byte !== 127) text += String.fromCharCode(byte);
  return text;
}

/** What tells a client where the answer ends is the server's own business. */
const framing = new Set(['content-length', 'transfer-encoding', 'connection']);

/** Headers that can be sent: functions choose names too, and one that is no token would spoil the whole answer. */
export const sendable = (headers: readonly Header[]): readonly Header[] =>
  headers.filter(([name]) => tokenShape.test(name) && !framing.has(name.toLowerCase()));

/** Whether a status can end a request. */
export const isFinalStatus = (status: number): boolean =>
  Number.isInteger(status) && status >= 200 && status <= 999;
