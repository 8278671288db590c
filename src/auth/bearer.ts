import type { Claims, TokenFailure } from '../identity/verify.ts';
import { jsonSyntaxError } from './go-json/syntax.ts';

/*
 * Why a bearer token is refused, in the words of upstream's library (golang-jwt), which takes a token apart in this
 * order: parts, header, claims, algorithm, signature, times.
 */

const known: ReadonlySet<string> = new Set(
  ['HS', 'RS', 'ES', 'PS'].flatMap((family) => ['256', '384', '512'].map((size) => family + size)),
);

const isKnown = (algorithm: string): boolean =>
  known.has(algorithm) || algorithm === 'none' || algorithm === 'EdDSA';

/** Whether tokens may be signed by an algorithm: one of those permitted, or of the instance's own keys. */
export const isPermittedAlgorithm = (
  algorithm: string,
  permitted: readonly string[],
  keys: readonly { readonly alg?: string | undefined }[],
): boolean => permitted.includes(algorithm) || keys.some(({ alg }) => alg === algorithm);

/** Why a claim's type is wrong; null when all are right. */
export function claimMismatch(claims: Claims): string | null {
  for (const [name, value] of Object.entries(claims)) {
    const problem = value === null ? null : mismatchOf(name, value);
    if (problem !== null) return problem;
  }
  return null;
}

const registered: ReadonlySet<string> = new Set(['iss', 'sub', 'jti']);
const texts: ReadonlySet<string> = new Set([
  ...['email', 'phone', 'role', 'aal', 'session_id', 'client_id', 'scope'],
]);
const objects: ReadonlySet<string> = new Set(['app_metadata', 'user_metadata']);
const times: ReadonlySet<string> = new Set(['exp', 'nbf', 'iat']);

function mismatchOf(name: string, value: unknown): string | null {
  if (times.has(name))
    return typeof value === 'number' ? null : `could not parse NumericData: ${noNumber(value)}`;
  if (name === 'aud') return isAudience(value) ? null : 'invalid type for claim';
  const isObject = kindOf(value) === 'object';
  if (registered.has(name) && typeof value !== 'string')
    return wrong(`RegisteredClaims.${name}`, value, 'string');
  if (texts.has(name) && typeof value !== 'string') return wrong(name, value, 'string');
  if (objects.has(name) && !isObject) return wrong(name, value, 'map[string]interface {}');
  if (name === 'is_anonymous' && typeof value !== 'boolean') return wrong(name, value, 'bool');
  return null;
}

const isAudience = (value: unknown): boolean =>
  typeof value === 'string' || (Array.isArray(value) && value.every((item) => typeof item === 'string'));

const noNumber = (value: unknown): string =>
  typeof value === 'string'
    ? `json: invalid number literal, trying to unmarshal ${JSON.stringify(JSON.stringify(value))} into Number`
    : `json: cannot unmarshal ${kindOf(value)} into Go value of type json.Number`;

const wrong = (name: string, value: unknown, type: string): string =>
  `json: cannot unmarshal ${kindOf(value)} into Go struct field AccessTokenClaims.${name} of type ${type}`;

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** A refusal of a token that did not verify. */
export function tokenRefusal(
  token: string,
  failure: TokenFailure,
  isPermitted: (algorithm: string) => boolean,
  nowSeconds: number,
): string {
  const [header = '', payload = '', signature = '', ...more] = token.split('.');
  if (token.split('.').length < 3 || more.length > 0) {
    return 'token is malformed: token contains an invalid number of segments';
  }
  const head = decodeObject(header, 'header', 'map[string]interface {}');
  if ('problem' in head) return head.problem;
  const body = decodeObject(payload, 'claim', 'tokens.AccessTokenClaims');
  if ('problem' in body) return body.problem;
  const mismatch = claimMismatch(body.object);
  if (mismatch !== null) return `token is malformed: could not JSON decode claim: ${mismatch}`;
  const { alg, kid } = head.object;
  if (typeof alg !== 'string') return 'token is unverifiable: signing method (alg) is unspecified';
  if (!isKnown(alg)) return 'token is unverifiable: signing method (alg) is unavailable';
  const { badByte } = base64urlText(signature);
  if (badByte !== null)
    return malformed('base64', 'signature', `illegal base64 data at input byte ${badByte}`);
  if (!isPermitted(alg)) return invalidMethod(alg);
  return verificationRefusal(failure, alg, kid, body.object, nowSeconds);
}

function verificationRefusal(
  failure: TokenFailure,
  algorithm: string,
  kid: unknown,
  claims: Claims,
  nowSeconds: number,
): string {
  switch (failure.kind) {
    case 'expired':
    case 'not-yet-valid':
    case 'issued-in-future': {
      const isExpired = typeof claims.exp === 'number' && nowSeconds >= claims.exp;
      const isEarly = typeof claims.nbf === 'number' && nowSeconds < claims.nbf;
      const problems = [isExpired ? 'token is expired' : '', isEarly ? 'token is not valid yet' : ''];
      return `token has invalid claims: ${problems.filter((problem) => problem !== '').join(', ')}`;
    }
    case 'bad-signature':
      return `token signature is invalid: ${signatureProblem(algorithm)}`;
    case 'no-suitable-key':
      return `token is unverifiable: error while executing keyfunc: unrecognized JWT kid ${kid ?? '<nil>'} for algorithm ${algorithm}`;
    default:
      return invalidMethod(algorithm);
  }
}

/** The refusal of a signature that may be right, by an algorithm that is not permitted. */
export const invalidMethod = (algorithm: string): string =>
  `token signature is invalid: signing method ${algorithm} is invalid`;

function signatureProblem(algorithm: string): string {
  if (algorithm.startsWith('RS')) return 'crypto/rsa: verification error';
  if (algorithm.startsWith('ES')) return 'crypto/ecdsa: verification error';
  return algorithm === 'EdDSA' ? 'ed25519: verification error' : 'signature is invalid';
}

type Decoded = { readonly object: Claims } | { readonly problem: string };

function decodeObject(segment: string, part: string, type: string): Decoded {
  const { text, badByte } = base64urlText(segment);
  if (badByte !== null) {
    return { problem: malformed('base64', part, `illegal base64 data at input byte ${badByte}`) };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: malformed('JSON', part, jsonSyntaxError(text) ?? '') };
  }
  if (kindOf(value) !== 'object') {
    const reason = `json: cannot unmarshal ${kindOf(value)} into Go value of type ${type}`;
    return { problem: malformed('JSON', part, reason) };
  }
  return { object: (value ?? {}) as Claims };
}

const malformed = (coding: string, part: string, reason: string): string =>
  `token is malformed: could not ${coding} decode ${part}: ${reason}`;

/** The text of base64url without padding, and the byte at which it stops to be that. */
export function base64urlText(segment: string): { readonly text: string; readonly badByte: number | null } {
  const stranger = /[^A-Za-z0-9_-]/.exec(segment);
  const rest = segment.length % 4 === 1 ? segment.length - 1 : null;
  const text = Buffer.from(segment, 'base64url').toString();
  return { text, badByte: stranger === null ? rest : stranger.index };
}
