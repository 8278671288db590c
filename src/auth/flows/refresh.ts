import { crc32 } from 'node:zlib';
import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { AuthError, OAuthError } from '../errors.ts';
import { refreshFailure } from '../failures/refresh.ts';
import type { AuditAction } from '../store/audit.ts';
import {
  deleteSession,
  deleteToken,
  moveCounter,
  type RefreshState,
  type RefreshUse,
  readCounterState,
  readShortState,
  reuseLiveToken,
  revokeFamily,
  swapToken,
} from '../store/refresh.ts';
import type { JsonObject, RefreshToken, Session, User } from '../store/rows.ts';
import { findSessions } from '../store/sessions.ts';
import { highestLevel } from '../tokens/assurance.ts';
import { encodeCounterToken, isSignedWith, parseCounterToken } from '../tokens/counter-token.ts';
import { decideCounter, decideShort, type RefreshPolicy } from '../tokens/refresh-decision.ts';
import { lastActiveMs, sessionTag, sessionValidity } from '../tokens/session-validity.ts';
import { isShortToken, makeShortToken } from '../tokens/short-token.ts';
import { isBanned } from './account.ts';
import { type AccessToken, clientOf, issueAccessToken, noteSession, sessionReply } from './session.ts';

/*
 * Each attempt is one read and one write. The write takes effect only if what was read still holds; otherwise another
 * refresh was quicker, and the next attempt sees what it left behind.
 */

const maxAttempts = 20;

/** What a refresh ended with; null sends it into another attempt. */
type Issued = { readonly token: string; readonly access: AccessToken } | null;

/** What an attempt knows: all limits are checked and the user may go on. */
type Attempt = {
  readonly context: AuthContext;
  readonly call: Call;
  readonly user: User;
  readonly session: Session;
  readonly policy: RefreshPolicy;
};

/**
 * Exchanges a refresh token for a new pair.
 * Upstream: internal/tokens/service.go (RefreshTokenGrant).
 */
export async function refreshSession(
  context: AuthContext,
  call: Call,
  token: string,
  oauthClientId: string | null = null,
): Promise<JsonObject> {
  const isShort = token.length === 12;
  const parsed = isShort ? null : parseCounterToken(token);
  if (isShort ? !isShortToken(token) : parsed === null) {
    // Who exchanges tokens as a client is told less of them.
    throw oauthClientId === null ? refreshFailure.malformed() : refreshFailure.notFound();
  }
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const state = await (parsed === null
      ? readShortState(context.db, token)
      : readCounterState(context.db, parsed.sessionId));
    if (state === null) throw refreshFailure.notFound();
    const session = await demandUsable(context, call, state, oauthClientId);
    const now: Attempt = { context, call, user: state.user, session, policy: policyOf(context) };
    const issued = await (parsed === null
      ? refreshShort(now, state.token, state.live)
      : refreshCounter(now, parsed));
    if (issued !== null) return sessionReply(context, issued.access, issued.token, state.user);
  }
  // Clients end their session on any 4xx, which trouble that passes by itself must not cause.
  throw new AuthError(
    503,
    'conflict',
    'Too many concurrent token refresh requests on the same session or refresh token',
  );
}

const policyOf = ({ config }: AuthContext): RefreshPolicy => ({
  reuseSeconds: config.refreshTokenReuseSeconds,
  rotation: config.refreshTokenRotation,
  allowReuse: config.refreshTokenAllowReuse,
});

async function demandUsable(
  context: AuthContext,
  call: Call,
  state: RefreshState,
  oauthClientId: string | null,
): Promise<Session> {
  const { user, session, token } = state;
  const nowMs = context.clock.now();
  call.replyHeaders['sb-auth-user-id'] = user.id;
  if (isBanned(user, nowMs)) throw refreshFailure.banned();
  if (session === null) {
    if (token !== null) await deleteToken(context.db, token.id);
    throw refreshFailure.noSession();
  }
  call.replyHeaders['sb-auth-session-id'] = session.id;
  switch (sessionValidity(session, limitsOf(context), nowMs, highestLevel(user), token)) {
    case 'expired':
      throw refreshFailure.expired();
    case 'inactive':
      throw refreshFailure.inactive();
    case 'low-aal':
      throw refreshFailure.lowAal();
    case 'valid':
      break;
  }
  demandClient(session, oauthClientId);
  if (context.config.sessionSinglePerUser) await demandNewest(context, user, session, token);
  return session;
}

/** The limits of sessions that the configuration sets. */
export const limitsOf = ({ config }: AuthContext) => ({
  timeboxMs: config.sessionTimeboxMs,
  inactivityMs: config.sessionInactivityMs,
  lowAalMs: config.sessionLowAalMs,
});

/** A session that an OAuth client began goes on with that client only. */
function demandClient(session: Session, oauthClientId: string | null): void {
  if (session.oauth_client_id === oauthClientId) return;
  if (session.oauth_client_id === null) {
    throw new OAuthError('invalid_client', 'Client authentication not allowed for non-OAuth session');
  }
  throw new OAuthError(
    'invalid_client',
    oauthClientId === null
      ? 'Client authentication required for OAuth session'
      : "Client does not match the session's OAuth client",
  );
}

async function demandNewest(
  context: AuthContext,
  user: User,
  session: Session,
  token: RefreshToken | null,
): Promise<void> {
  const { sessionTags: tags } = context.config;
  const nowMs = context.clock.now();
  const own = lastActiveMs(session, token);
  const others = await findSessions(context.db, user.id);
  const isReplaced = others.some(
    (other) =>
      other.id !== session.id &&
      sessionTag(other, tags) === sessionTag(session, tags) &&
      sessionValidity(other, limitsOf(context), nowMs, highestLevel(user)) === 'valid' &&
      lastActiveMs(other) > own,
  );
  if (isReplaced) throw refreshFailure.newerLogin();
}

function useOf({ context, call, user, session }: Attempt, ...actions: readonly AuditAction[]): RefreshUse {
  return {
    sessionId: session.id,
    userId: user.id,
    now: context.now(),
    ...clientOf(call),
    audits: context.audit.rows(user, ...actions),
  };
}

async function refreshShort(
  now: Attempt,
  token: RefreshToken | null,
  live: RefreshToken | null,
): Promise<Issued> {
  const { context, session, policy } = now;
  if (token === null) throw refreshFailure.notFound();
  const decision = decideShort(
    token,
    live,
    session.refresh_token_counter !== null,
    policy,
    context.clock.now(),
  );
  switch (decision.kind) {
    case 'swap':
      return swap(now, token);
    case 'hand-out': {
      const access = await accessFor(now, decision.token, null);
      const isLive = live !== null && (await reuseLiveToken(context.db, live, useOf(now, 'token_refreshed')));
      return isLive ? { token: decision.token, access } : null;
    }
    case 'refuse':
      if (decision.revokeFamily) await revokeFamily(context.db, session.id, context.now());
      throw refreshFailure.alreadyUsed();
  }
}

async function swap(now: Attempt, token: RefreshToken): Promise<Issued> {
  const { context, session } = now;
  const child = makeShortToken(context.random);
  const key = shouldUpgrade(context, session)
    ? (hmacKeyOf(context, session) ?? context.random.bytes(32))
    : null;
  const counter = session.refresh_token_counter === null ? 0n : BigInt(session.refresh_token_counter) + 1n;
  const upgrade =
    key === null
      ? null
      : { hmacKey: context.encryption.seal(session.id, key.toString('base64url')), counter };
  const issued = key === null ? child : encodeCounterToken(session.id, counter, key);
  const access = await accessFor(now, issued, key === null ? null : counter, { reuse: 'false' });
  const use = useOf(now, 'token_refreshed', 'token_revoked');
  return (await swapToken(context.db, token, child, use, upgrade)) ? { token: issued, access } : null;
}

/** A share of sessions, always the same ones, moves to the counter form. */
function shouldUpgrade({ config }: AuthContext, session: Session): boolean {
  if (config.refreshTokenVersion !== 2) return false;
  return crc32(session.id) % 100 < config.refreshTokenUpgradePercentage;
}

function hmacKeyOf(context: AuthContext, session: Session): Buffer | null {
  const stored = session.refresh_token_hmac_key;
  return stored === null ? null : Buffer.from(context.encryption.open(session.id, stored), 'base64url');
}

type ParsedToken = NonNullable<ReturnType<typeof parseCounterToken>>;

async function refreshCounter(now: Attempt, token: ParsedToken): Promise<Issued> {
  const { context, call, session, policy } = now;
  const key = hmacKeyOf(context, session);
  if (key === null || session.refresh_token_counter === null || !isSignedWith(token, key)) {
    throw refreshFailure.notFound();
  }
  const current = BigInt(session.refresh_token_counter);
  const decision = decideCounter(token.counter, current, lastActiveMs(session), policy, context.clock.now());
  switch (decision.kind) {
    case 'not-issued-here':
      throw refreshFailure.notIssuedHere();
    case 'refuse':
      if (decision.endSession) {
        await deleteSession(context.db, session.id);
        call.replyHeaders['sb-auth-refresh-token-rotated'] = 'true';
      }
      throw refreshFailure.alreadyUsed();
    case 'advance':
    case 'repeat': {
      const next = decision.kind === 'advance' ? current + 1n : current;
      const issued = encodeCounterToken(session.id, next, key);
      const told = decision.kind === 'advance' ? { reuse: 'false' } : { cause: decision.causes.join(',') };
      const access = await accessFor(now, issued, next, told);
      const hmacKey = context.encryption.reseal(session.id, session.refresh_token_hmac_key ?? '');
      const isMoved = await moveCounter(
        context.db,
        { from: current, to: next, hmacKey },
        useOf(now, 'token_refreshed'),
      );
      return isMoved ? { token: issued, access } : null;
    }
  }
}

/** What headers tell of the way a token was used. */
type Told = { readonly reuse?: string; readonly cause?: string };

/**
 * The access token is made before the write, so that a hook that refuses it leaves everything as it was. Headers tell of
 * the refresh even then, and of the last attempt alone.
 */
async function accessFor(
  { context, call, user, session }: Attempt,
  token: string,
  counter: bigint | null,
  { reuse, cause }: Told = {},
): Promise<AccessToken> {
  const { replyHeaders } = call;
  delete replyHeaders['sb-auth-refresh-token-reuse'];
  delete replyHeaders['sb-auth-refresh-token-reuse-cause'];
  noteSession(call, user.id, session.id, counter === null ? token : null, counter ?? 0n);
  if (reuse !== undefined) replyHeaders['sb-auth-refresh-token-reuse'] = reuse;
  if (cause !== undefined) replyHeaders['sb-auth-refresh-token-reuse-cause'] = cause;
  return issueAccessToken(context, null, call, user, session, 'token_refresh');
}
