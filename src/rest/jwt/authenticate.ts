import { decodeProtectedHeader } from 'jose';
import { LRUCache } from 'lru-cache';
import { type Clock, epochSeconds } from '../../core/clock.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { VerificationKey } from '../../identity/key-set.ts';
import { type Claims, type KeySource, type TokenFailure, verifyBySource } from '../../identity/verify.ts';
import { type RestError, restErrors } from '../errors.ts';
import { checkClaims } from './claims.ts';
import { type JsPath, walkJsPath } from './js-path.ts';

/** Who a request acts as. */
export type Authentication = {
  readonly role: string;
  /** JSON text of the claims, always with the role: what `request.jwt.claims` carries. */
  readonly claimsText: string;
};

type Outcome = Result<Authentication, RestError>;

/** Turns the Authorization header into a role; answers at once, without a promise, for a token that it remembers. */
export type Authenticate = (authorization: string | null) => Outcome | Promise<Outcome>;

/** What authentication depends on besides the keys; read at each request, since it may be reloaded. */
export type AuthenticationRules = {
  readonly anonRole: string | null;
  readonly jwt: { readonly audience: string | null; readonly roleClaimPath: JsPath };
};

/** Options of an authenticator. */
export type AuthenticatorOptions = {
  /** Null when no secret is configured: then a token is an error of the server. */
  readonly keys: () => KeySource | null;
  readonly rules: () => AuthenticationRules;
  readonly clock: Clock;
  /** Verified tokens that are remembered; 0 for none. */
  readonly cacheSize: number;
};

/**
 * Creates an authenticator. A good signature is checked once per token and set of keys; times and audience are checked
 * at each request.
 * Upstream: PostgREST src/PostgREST/Auth.hs, Auth/Jwt.hs, Auth/JwtCache.hs.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const cache = options.cacheSize > 0 ? new LRUCache<string, Decoded>({ max: options.cacheSize }) : null;
  let source: KeySource | null = null;
  let version = 0;
  const forgetIfChanged = (current: KeySource): void => {
    if (current === source && current.version() === version) return;
    cache?.clear();
    source = current;
    version = current.version();
  };
  const finish = (decoded: Decoded): Outcome => {
    const rules = options.rules();
    const failure = checkClaims(decoded.claims, rules.jwt.audience, epochSeconds(options.clock));
    return failure === null ? authenticated(decoded, rules) : err(failure);
  };
  return (authorization) => {
    const token = bearerToken(authorization);
    if (token === null) return anonymous(options.rules());
    const keys = options.keys();
    if (keys === null) return err(restErrors.noJwtSecret());
    forgetIfChanged(keys);
    const known = cache?.get(token);
    if (known !== undefined) return finish(known);
    return decode(token, keys).then((decoded) => {
      if (!decoded.ok) return decoded;
      cache?.set(token, decoded.value);
      return finish(decoded.value);
    });
  };
}

/** The token of a bearer header, which may be empty; null for any other header. */
function bearerToken(authorization: string | null): string | null {
  if (authorization === null) return null;
  const match = /^bearer(?:\s+(.*))?$/is.exec(authorization);
  return match === null ? null : (match[1] ?? '');
}

type Decoded = {
  readonly claims: Claims;
  readonly text: string;
  /** The last answer for this token, under the rules that gave it. */
  answer?: { readonly rules: AuthenticationRules; readonly outcome: Outcome };
};

async function decode(token: string, source: KeySource): Promise<Result<Decoded, RestError>> {
  if (token === '')
    return err(restErrors.undecodableToken('Empty JWT is sent in Authorization header', null));
  const payload = await verifyBySource(token, source, (keys) => keysFor(token, keys));
  if (!payload.ok) return err(toError(payload.error));
  const text = new TextDecoder().decode(payload.value);
  const claims = parseObject(text);
  return claims === null ? err(restErrors.invalidClaims('Parsing claims failed')) : ok({ claims, text });
}

/** A token that names a key is checked with keys of that name only. */
function keysFor(token: string, keys: readonly VerificationKey[]): readonly VerificationKey[] {
  try {
    const { kid } = decodeProtectedHeader(token);
    return kid === undefined ? keys : keys.filter((key) => key.kid === kid);
  } catch {
    // A header that cannot be read is reported by the verification itself.
    return keys;
  }
}

const knownAlgorithm = /^(?:(?:HS|RS|ES)(?:256|384|512)|EdDSA)$/;
const noSuitableKey = 'No suitable key was found to decode the JWT';

function toError(failure: TokenFailure): RestError {
  const wrongKey = (details: string): RestError =>
    restErrors.undecodableToken('No suitable key or wrong key type', details);
  switch (failure.kind) {
    case 'malformed':
      return restErrors.undecodableToken(`Expected 3 parts in JWT; got ${failure.parts}`, null);
    case 'no-suitable-key':
      return wrongKey(noSuitableKey);
    case 'bad-signature':
      return wrongKey('None of the keys was able to decode the JWT');
    case 'unsupported-algorithm':
      if (knownAlgorithm.test(failure.algorithm)) return wrongKey(noSuitableKey);
      return failure.algorithm === 'none'
        ? restErrors.undecodableToken(
            'Wrong or unsupported encoding algorithm',
            "JWT is unsecured but expected 'alg' was not 'none'",
          )
        : undecodable();
    default:
      return undecodable();
  }
}

const undecodable = (): RestError => restErrors.undecodableToken('JWT cryptographic operation failed', null);

function parseObject(text: string): Claims | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : null;
  } catch {
    return null;
  }
}

function authenticated(decoded: Decoded, rules: AuthenticationRules): Outcome {
  if (decoded.answer?.rules === rules) return decoded.answer.outcome;
  const claim = walkJsPath(decoded.claims, rules.jwt.roleClaimPath);
  const role =
    claim === undefined ? rules.anonRole : typeof claim === 'string' ? claim : JSON.stringify(claim);
  const outcome: Outcome =
    role === null
      ? err(restErrors.tokenRequired())
      : ok({ role, claimsText: withRole(decoded.claims, decoded.text, role) });
  decoded.answer = { rules, outcome };
  return outcome;
}

/** The payload as it came when it names the role already: numbers keep all their digits. */
const withRole = (claims: Claims, text: string, role: string): string =>
  claims.role === role ? text : JSON.stringify({ ...claims, role });

function anonymous(rules: AuthenticationRules): Outcome {
  const { anonRole } = rules;
  return anonRole === null
    ? err(restErrors.tokenRequired())
    : ok({ role: anonRole, claimsText: JSON.stringify({ role: anonRole }) });
}
