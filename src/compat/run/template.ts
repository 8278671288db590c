import { createHash, createHmac } from 'node:crypto';
import { signToken } from './token.ts';

/** Values that a case may name, by name. */
export type Variables = ReadonlyMap<string, unknown>;

/** A case names a value that nothing has set. */
export class UnknownVariable extends Error {
  override readonly name = 'UnknownVariable';
}

/** Functions of templates, `${name:variable}`; `jwt` signs with the variable `secret`. */
const functions: Readonly<Record<string, (value: string, variables: Variables) => string>> = {
  base64: (value) => Buffer.from(value).toString('base64'),
  url: encodeURIComponent,
  sha256: (value) => createHash('sha256').update(value).digest('base64url'),
  totp: (secret) => totp(secret, Date.now()),
  jwt: (claims, variables) => signToken(JSON.parse(claims), textOf(lookUp('secret', variables))),
};

/** Fills in the `${names}` of a value at every depth, in keys too; a string that is one name takes its type. */
export function fill(template: unknown, variables: Variables): unknown {
  if (typeof template === 'string') return fillText(template, variables);
  if (Array.isArray(template)) return template.map((item) => fill(item, variables));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) => [fillString(key, variables), fill(value, variables)]),
  );
}

/** As `fill`, for what must be text. */
export const fillString = (template: string, variables: Variables): string =>
  template.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => textOf(lookUp(name, variables)));

function fillText(template: string, variables: Variables): unknown {
  const only = /^\$\{([^}]+)\}$/.exec(template)?.[1];
  return only === undefined ? fillString(template, variables) : lookUp(only, variables);
}

function lookUp(name: string, variables: Variables): unknown {
  const [before = '', after] = name.split(':');
  const key = after ?? before;
  if (!variables.has(key)) throw new UnknownVariable(`nothing has set \${${key}}`);
  const value = variables.get(key);
  if (after === undefined) return value;
  const call = functions[before];
  if (call === undefined) throw new UnknownVariable(`there is no function ${before}`);
  return call(textOf(value), variables);
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The six digits of a TOTP secret in base32 at a time in milliseconds: SHA-1, steps of 30 seconds (RFC 6238). */
export function totp(secret: string, nowMs: number): string {
  const bits = [...secret.toUpperCase()]
    .map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter))
    .filter((index) => index >= 0)
    .map((index) => index.toString(2).padStart(5, '0'))
    .join('');
  const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(nowMs / 30_000)));
  const digest = createHmac('sha1', Buffer.from(bytes)).update(counter).digest();
  const offset = digest.readUInt8(digest.length - 1) & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
