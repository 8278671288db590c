import { createHmac } from 'node:crypto';
import type { Clock, Random } from '../../core/clock.ts';

/** Credentials of a request of OAuth 1.0a; the token's are empty before there is one. */
export type OAuth1Credentials = {
  readonly consumerKey: string;
  readonly consumerSecret: string;
  readonly token: string;
  readonly tokenSecret: string;
};

/** A request that is to be signed. */
export type OAuth1Request = {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** Protocol members beside the usual ones, such as `oauth_callback`. */
  readonly members: Readonly<Record<string, string>>;
};

/** Percent-encoding as RFC 5849 3.6 wants it, stricter than that of URLs. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const byText = ([a]: readonly [string, string], [b]: readonly [string, string]): number =>
  a < b ? -1 : a > b ? 1 : 0;

/** The base string of RFC 5849 3.4.1 for parameters of query and header alike. */
export function signatureBase(
  method: string,
  url: string,
  parameters: readonly (readonly [name: string, value: string])[],
): string {
  const { origin, pathname } = new URL(url);
  const normalized = parameters
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort((a, b) => byText(a, b) || (a[1] < b[1] ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  return [method, encode(origin + pathname), encode(normalized)].join('&');
}

/** The signature of a base string (HMAC-SHA1, RFC 5849 3.4.2). */
export const signBase = (base: string, consumerSecret: string, tokenSecret: string): string =>
  createHmac('sha1', `${encode(consumerSecret)}&${encode(tokenSecret)}`)
    .update(base)
    .digest('base64');

/** The Authorization header of a signed request. */
export function oauth1Header(
  { method, url, members }: OAuth1Request,
  credentials: OAuth1Credentials,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): string {
  const own: Record<string, string> = {
    oauth_version: '1.0',
    oauth_signature_method: 'HMAC-SHA1',
    oauth_timestamp: String(Math.floor(clock.now() / 1000)),
    oauth_nonce: random.bytes(16).toString('hex'),
    oauth_consumer_key: credentials.consumerKey,
    ...(credentials.token === '' ? {} : { oauth_token: credentials.token }),
    ...members,
  };
  const base = signatureBase(method, url, [...new URL(url).searchParams, ...Object.entries(own)]);
  const signed = {
    ...own,
    oauth_signature: signBase(base, credentials.consumerSecret, credentials.tokenSecret),
  };
  const parts = Object.entries(signed).map(([name, value]) => `${name}="${encode(value)}"`);
  return `OAuth ${parts.join(',')}`;
}
