import { bearerToken } from '../identity/authorization.ts';
import type { Claims, TokenFailure } from '../identity/verify.ts';
import type { AdminCall, Call, UserCall } from './call.ts';
import type { AuthContext } from './context.ts';
import { requestFailure } from './failures/request.ts';
import { isBanned } from './flows/account.ts';
import { limitsOf } from './flows/refresh.ts';
import { readPrincipal } from './store/principal.ts';
import type { Session, User } from './store/rows.ts';
import { highestLevel } from './tokens/assurance.ts';
import { sessionValidity } from './tokens/session-validity.ts';

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const nil = '00000000-0000-0000-0000-000000000000';

/** Whether a text is a UUID. */
export const isUuid = (text: string): boolean => uuidShape.test(text);

/** The claims of a request's bearer token; refuses a request without a good one. */
async function demandClaims(context: AuthContext, call: Call): Promise<Claims> {
  const token = bearerToken(call.request.authorization);
  if (token === null || /\s/.test(token)) throw requestFailure.noBearer();
  const verified = await context.verifier.verify(token);
  if (!verified.ok) throw requestFailure.badJwt(reasonOf(verified.error));
  return verified.value.claims;
}

/** A refusal in the words of upstream's library. */
function reasonOf(failure: TokenFailure): string {
  switch (failure.kind) {
    case 'malformed':
      return 'token is malformed: token contains an invalid number of segments';
    case 'undecodable':
    case 'claims-not-object':
    case 'bad-claim-type':
      return 'token is malformed: could not JSON decode its parts';
    case 'unsupported-algorithm':
      return `token signature is invalid: signing method ${failure.algorithm} is invalid`;
    case 'no-suitable-key':
      return `token is unverifiable: error while executing keyfunc: unrecognized JWT kid ${failure.kid ?? '<nil>'}`;
    case 'bad-signature':
      return 'token signature is invalid: signature is invalid';
    case 'expired':
      return 'token has invalid claims: token is expired';
    case 'not-yet-valid':
      return 'token has invalid claims: token is not valid yet';
    case 'issued-in-future':
      return 'token has invalid claims: token used before issued';
  }
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
