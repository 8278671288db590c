import { createHmac } from 'node:crypto';
import { dockerDemoSecret, localDemoSecret } from '../../identity/demo-secrets.ts';
import type { Target } from './target.ts';

/**
 * The secret that a target signs tokens with: the given one, else the public development secret of the Supabase CLI or of
 * the Docker files where the anon key is signed with it; null when it is not known.
 */
export function signingSecret({ jwtSecret, anonKey }: Target): string | null {
  if (jwtSecret !== undefined) return jwtSecret;
  const [head, claims, signature] = anonKey.split('.');
  const fits = (secret: string): boolean => signatureOf(`${head}.${claims}`, secret) === signature;
  return [localDemoSecret, dockerDemoSecret].find(fits) ?? null;
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const signatureOf = (signed: string, secret: string): string =>
  createHmac('sha256', secret).update(signed).digest('base64url');

/** A token with these claims, signed with HS256. */
export function signToken(claims: unknown, secret: string): string {
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${signatureOf(signed, secret)}`;
}
