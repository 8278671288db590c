import { epochSeconds } from '../core/clock.ts';
import { bearerToken } from '../identity/authorization.ts';
import type { Claims, VerifiedToken } from '../identity/verify.ts';
import { claimMismatch, invalidMethod, isPermittedAlgorithm, tokenRefusal } from './bearer.ts';
import type { AdminCall, Call, UserCall } from './call.ts';
import type { AuthContext } from './context.ts';
import { requestFailure } from './failures/request.ts';
import { isBanned } from './flows/account.ts';
import { limitsOf } from './flows/refresh.ts';
import { readPrincipal } from './store/principal.ts';
import type { Session, User } from './store/rows.ts';
import { highestLevel } from './tokens/assurance.ts';
import { sessionValidity } from './tokens/session-validity.ts';

const uuidShape = /^(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32})$/i;
const nil = '00000000-0000-0000-0000-000000000000';

/** Whether a text is a UUID, with its dashes or without. */
export const isUuid = (text: string): boolean => uuidShape.test(text);

/** The claims of a request's bearer token; refuses a request without a good one. */
async function demandClaims(context: AuthContext, call: Call): Promise<Claims> {
  const token = /^bearer (\S+)$/i.exec(call.request.authorization ?? '')?.[1];
  if (token === undefined) throw requestFailure.noBearer();
  const verified = await context.verifier.verify(token);
  if (!verified.ok) {
    const now = epochSeconds(context.clock);
    const isPermitted = (algorithm: string): boolean => isPermittedHere(context, algorithm);
    throw requestFailure.badJwt(tokenRefusal(token, verified.error, isPermitted, now));
  }
  const { claims } = verified.value;
  const refusal = claimsRefusal(context, verified.value);
  if (refusal !== null) throw requestFailure.badJwt(refusal);
  return claims;
}

const isPermittedHere = ({ config, keys }: AuthContext, algorithm: string): boolean =>
  isPermittedAlgorithm(algorithm, config.jwtValidMethods, keys.jwks.keys);

/** What this service, unlike others that verify tokens, minds about a good one. */
function claimsRefusal(context: AuthContext, { algorithm, claims }: VerifiedToken): string | null {
  if (!isPermittedHere(context, algorithm)) return invalidMethod(algorithm);
  const mismatch = claimMismatch(claims);
  return mismatch === null ? null : `token is malformed: could not JSON decode claim: ${mismatch}`;
}

const text = (claims: Claims, name: string): string => (typeof claims[name] === 'string' ? claims[name] : '');

/** User and session that the claims name, read together; refuses claims about what is no longer there. */
async function demandPrincipal(
  context: AuthContext,
  claims: Claims,
): Promise<{ readonly user: User; readonly session: Session | null }> {
  const sub = text(claims, 'sub');
  const sessionId = text(claims, 'session_id');
  if (sub === '') throw requestFailure.missingSub();
  if (!isUuid(sub)) throw requestFailure.subNotUuid();
  const hasSession = sessionId !== '' && sessionId !== nil;
  const isSessionUuid = hasSession && isUuid(sessionId);
  const found = await readPrincipal(context.db, sub, isSessionUuid ? sessionId : null);
  if (found === null) throw requestFailure.userGone();
  if (hasSession && !isSessionUuid) throw requestFailure.sessionIdNotUuid();
  if (hasSession && found.session === null) throw requestFailure.sessionGone();
  return found;
}

const isAdminRole = (context: AuthContext, claims: Claims): boolean =>
  context.config.jwtAdminRoles.includes(text(claims, 'role'));

/** Claims may choose the audience that users are looked up in, unless they are an admin's. */
function audienceOf(context: AuthContext, call: Call, claims: Claims): string {
  if (call.request.headers['x-jwt-aud'] !== undefined || isAdminRole(context, claims)) return call.aud;
  const aud = Array.isArray(claims.aud) ? claims.aud[0] : claims.aud;
  return typeof aud === 'string' && aud !== '' ? aud : call.aud;
}

/**
 * The request as one of a signed-in user, in one round trip.
 * Upstream: internal/api/auth.go (requireAuthentication).
 */
export async function demandUser(context: AuthContext, call: Call): Promise<UserCall> {
  const claims = await demandClaims(context, call);
  const { user, session } = await demandPrincipal(context, claims);
  if (isBanned(user, context.clock.now())) throw requestFailure.banned();
  return { ...call, aud: audienceOf(context, call, claims), claims, user, session };
}

/** The same, for what anonymous users may not do. */
export async function demandPermanentUser(context: AuthContext, call: Call): Promise<UserCall> {
  const known = await demandUser(context, call);
  if (known.claims.is_anonymous === true) throw requestFailure.anonymousRefused();
  return known;
}

/**
 * The request as one with an admin's token. A token that names a session counts only while that goes on.
 * Upstream: internal/api/middleware.go (requireAdminCredentials).
 */
export async function demandAdmin(context: AuthContext, call: Call): Promise<AdminCall> {
  const claims = await demandClaims(context, call);
  const sessionId = text(claims, 'session_id');
  if (sessionId !== '' && sessionId !== nil) {
    const { user, session } = await demandPrincipal(context, claims);
    const nowMs = context.clock.now();
    const isValid =
      session === null || sessionValidity(session, limitsOf(context), nowMs, highestLevel(user)) === 'valid';
    if (!isValid) throw requestFailure.adminSessionExpired();
  }
  if (!isAdminRole(context, claims)) throw requestFailure.notAdmin();
  return { ...call, claims, actor: { adminRole: text(claims, 'role') } };
}

/** Whether the request carries an admin's token; for checks that admins are spared. */
export async function isAdminCall(context: AuthContext, call: Call): Promise<boolean> {
  const token = bearerToken(call.request.authorization);
  if (token === null) return false;
  const verified = await context.verifier.verify(token);
  return verified.ok && isAdminRole(context, verified.value.claims);
}
