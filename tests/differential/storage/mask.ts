/** Replaces what differs between any two runs (ids, times, tokens, cursors) by what they are. */
export interface Mask {
  value(value: unknown): unknown;
  text(text: string): string;
}

const uuidShape = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const jwtShape = /eyJ[\w-]+\.[\w-]+\.[\w-]*/g;
const isoShape = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g;
const httpDateShape = /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/g;
const uploadIdShape = /(<origin>\/upload\/resumable(?:\/sign)?\/)([\w-]+)/g;
const uploadTagShape = /(<UploadId>)[^<]+(<\/UploadId>)/g;

/** A token by what it claims; lifetimes stay, points in time do not. */
function claimsText(token: string): string {
  try {
    const { iat, exp, ...claims } = JSON.parse(
      Buffer.from(token.split('.')[1] ?? '', 'base64url').toString(),
    ) as Record<string, unknown>;
    const seconds = typeof iat === 'number' && typeof exp === 'number' ? exp - iat : null;
    return `<token ${JSON.stringify({ ...claims, seconds })}>`;
  } catch {
    // Not a token after all.
    return token;
  }
}

/** A cursor of a listing is base64 of lines. */
function cursorText(text: string): string {
  const decoded = Buffer.from(text, 'base64').toString();
  return /^l:/.test(decoded) ? `<cursor ${decoded}>` : text;
}

/** Creates the mask of a target; `base` is the service's URL. */
export function createMask(base: string): Mask {
  const host = new URL(base).host;
  const text = (plain: string): string =>
    plain
      .replaceAll(base, '<origin>')
      .replaceAll(host, '<host>')
      .replace(uploadIdShape, (_all, prefix: string, id: string) => {
        return `${prefix}${Buffer.from(id, 'base64url').toString()}`;
      })
      .replace(jwtShape, claimsText)
      .replace(uploadTagShape, '$1<upload>$2')
      .replace(uuidShape, '<uuid>')
      .replace(isoShape, '<time>')
      .replace(httpDateShape, '<date>');
  const value = (given: unknown): unknown => {
    if (typeof given === 'string') return text(cursorText(given));
    if (Array.isArray(given)) return given.map(value);
    if (typeof given !== 'object' || given === null) return given;
    return Object.fromEntries(Object.entries(given).map(([key, item]) => [text(key), value(item)]));
  };
  return { value, text };
}
