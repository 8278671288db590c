import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/*
 * A refresh token of the counter form is the base64url of
 *
 *   version 0x00 | session id (16) | uvarint(counter) | HMAC-SHA256(key, all before)[0:16] | SHA-256(all before)[0:4]
 *
 * Upstream: internal/crypto/refresh_tokens.go.
 */

const idEnd = 17;
const signatureBytes = 16;
const checksumBytes = 4;
const minBytes = idEnd + 1 + signatureBytes + checksumBytes;
const maxBytes = minBytes + 8;

/** A token whose shape and checksum are right; its signature is still to be checked. */
export type CounterToken = {
  readonly sessionId: string;
  readonly counter: bigint;
  readonly signed: Buffer;
  readonly signature: Buffer;
};

const uuidText = (bytes: Buffer): string => {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

const sign = (key: Buffer, signed: Buffer): Buffer =>
  createHmac('sha256', key).update(signed).digest().subarray(0, signatureBytes);

const checksum = (bytes: Buffer): Buffer =>
  createHash('sha256').update(bytes).digest().subarray(0, checksumBytes);

function uvarint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function readUvarint(bytes: Buffer): bigint | null {
  let value = 0n;
  for (const [i, byte] of bytes.entries()) {
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return i === bytes.length - 1 ? value : null;
  }
  return null;
}

/** Makes the token of a session at a counter. */
export function encodeCounterToken(sessionId: string, counter: bigint, key: Buffer): string {
  const id = Buffer.from(sessionId.replaceAll('-', ''), 'hex');
  const signed = Buffer.concat([Buffer.of(0), id, uvarint(counter)]);
  const body = Buffer.concat([signed, sign(key, signed)]);
  return Buffer.concat([body, checksum(body)]).toString('base64url');
}

/** Reads a token; null when it is not one that this form could have produced. */
export function parseCounterToken(token: string): CounterToken | null {
  if (!/^[A-Za-z0-9_-]+$/.test(token)) return null;
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length < minBytes || bytes.length > maxBytes || bytes[0] !== 0) return null;
  if (bytes.toString('base64url') !== token) return null;
  const body = bytes.subarray(0, -checksumBytes);
  if (!timingSafeEqual(checksum(body), bytes.subarray(-checksumBytes))) return null;
  const signed = body.subarray(0, -signatureBytes);
  const counter = readUvarint(signed.subarray(idEnd));
  if (counter === null) return null;
  return {
    sessionId: uuidText(signed.subarray(1, idEnd)),
    counter,
    signed,
    signature: body.subarray(-signatureBytes),
  };
}

/** Whether the session's key signed the token. */
export const isSignedWith = (token: CounterToken, key: Buffer): boolean =>
  timingSafeEqual(sign(key, token.signed), token.signature);
