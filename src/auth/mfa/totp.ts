import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../core/clock.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const secretBytes = 20;
const digits = 6;
const periodSeconds = 30;
/** Steps before and after the present one that count as well. */
const skewSteps = 1;

/** Base32 without padding. */
export function base32(bytes: Buffer): string {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  const padded = Math.ceil((bytes.length * 8) / 5) * 5;
  bits <<= BigInt(padded - bytes.length * 8);
  return Array.from(
    { length: padded / 5 },
    (_, i) => alphabet[Number((bits >> BigInt(padded - 5 * (i + 1))) & 31n)],
  ).join('');
}

function fromBase32(text: string): Buffer {
  const bytes: number[] = [];
  let buffer = 0;
  let held = 0;
  for (const char of text.toUpperCase().replace(/[=\s]/g, '')) {
    buffer = ((buffer << 5) | alphabet.indexOf(char)) & 0xffff;
    held += 5;
    if (held >= 8) {
      held -= 8;
      bytes.push((buffer >> held) & 0xff);
    }
  }
  return Buffer.from(bytes);
}

/** A fresh secret, as authenticator apps take it. */
export const makeTotpSecret = (random: Random): string => base32(random.bytes(secretBytes));

/** The code of a secret at a time step (RFC 6238 with SHA-1). */
export function totpCode(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', fromBase32(secret)).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, '0');
}

/** The time step of a moment. */
export const totpStep = (epochMs: number): number => Math.floor(epochMs / 1000 / periodSeconds);

/** The step that a code belongs to, among the present and its neighbours; null for a wrong code. */
export function matchTotp(secret: string, code: string, nowMs: number): number | null {
  const now = totpStep(nowMs);
  for (let step = now - skewSteps; step <= now + skewSteps; step++) {
    const expected = Buffer.from(totpCode(secret, step));
    const given = Buffer.from(code.trim());
    if (given.length === expected.length && timingSafeEqual(given, expected)) return step;
  }
  return null;
}

/** The URI that authenticator apps read from a QR code. */
export function totpUri(issuer: string, account: string, secret: string): string {
  const query = new URLSearchParams({
    algorithm: 'SHA1',
    digits: String(digits),
    issuer,
    period: String(periodSeconds),
    secret,
  });
  const label = `${encodeURIComponent(issuer).replaceAll('%3A', ':')}:${encodeURIComponent(account).replaceAll('%40', '@')}`;
  // Apps read a plus sign as itself.
  return `otpauth://totp/${label}?${query.toString().replaceAll('+', '%20')}`;
}
