import { createHmac, timingSafeEqual } from 'node:crypto';

/*
 * Signatures by a shared secret are made on the main thread: they take a few microseconds, and a thread of the pool
 * that other work waits for would take twenty times as long, and longer while passwords are hashed.
 */

const digests: Readonly<Record<string, string>> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };
const base64url = /^[A-Za-z0-9_-]*$/;

/** Signs text by a shared secret; throws `TypeError` for another kind of algorithm, or without a secret. */
export function hmacOf(algorithm: string, secret: Uint8Array, text: string): Buffer {
  const digest = digests[algorithm];
  if (digest === undefined) throw new TypeError(`${algorithm} is no algorithm of shared secrets`);
  if (secret.length === 0) throw new TypeError('a shared secret cannot be empty');
  return createHmac(digest, secret).update(text).digest();
}

/** The payload of a compact token that a shared secret signed; null when the secret did not. */
export function openHmacToken(algorithm: string, secret: Uint8Array, token: string): Buffer | null {
  const payloadAt = token.indexOf('.') + 1;
  const signatureAt = token.lastIndexOf('.') + 1;
  const payload = token.slice(payloadAt, signatureAt - 1);
  const signature = token.slice(signatureAt);
  // Node would skip strange characters, and a changed token would count as the one that was signed.
  if (secret.length === 0 || !base64url.test(signature) || !base64url.test(payload)) return null;
  const given = Buffer.from(signature, 'base64url');
  const made = hmacOf(algorithm, secret, token.slice(0, signatureAt - 1));
  if (given.length !== made.length || !timingSafeEqual(given, made)) return null;
  return Buffer.from(payload, 'base64url');
}
