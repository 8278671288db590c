import { z } from 'zod';
import { signToken } from '../../identity/sign.ts';
import type { Transaction } from '../../pg/session.ts';
import { type Call, headerText } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { hookFailure } from '../failures/hook.ts';
import type { JsonObject, Session, User } from '../store/rows.ts';
import { insertSession, type NewSession } from '../store/sessions.ts';
import { type AccessClaims, accessClaims } from '../tokens/access-token.ts';
import { encodeCounterToken } from '../tokens/counter-token.ts';
import { makeShortToken } from '../tokens/short-token.ts';
import { userJson } from '../wire/user.ts';
import type { Flow } from './flow.ts';

/** What a client gets when it is signed in. */
export type SessionReply = JsonObject & { readonly access_token: string; readonly refresh_token: string };

/** How a session begins, beside its user and method. */
export type SessionStart = {
  readonly factorId?: string;
  readonly tag?: string;
  readonly notAfter?: string;
  readonly oauthClientId?: string;
  readonly scopes?: string;
};

/**
 * Begins a session and yields its tokens.
 * Upstream: internal/tokens/service.go (IssueRefreshToken).
 */
export async function beginSession(
  context: AuthContext,
  flow: Flow,
  user: User,
  method: string,
  start: SessionStart = {},
): Promise<SessionReply> {
  const now = context.now();
  const id = context.random.uuid();
  const { refreshToken, refresh } = firstRefreshToken(context, id);
  // As upstream's, the headers name a session that a refusal of the hook leaves nobody with, too.
  noteSession(flow.call, user.id, id, refresh.form === 'short' ? refreshToken : null, 0n);
  await insertSession(
    flow.tx,
    {
      id,
      userId: user.id,
      amrId: context.random.uuid(),
      method,
      factorId: start.factorId ?? null,
      ...clientOf(flow.call),
      tag: start.tag ?? null,
      notAfter: start.notAfter ?? null,
      oauthClientId: start.oauthClientId ?? null,
      scopes: start.scopes ?? null,
      refresh,
    },
    now,
  );
  const signedIn: User = { ...user, last_sign_in_at: now, updated_at: now };
  const session = {
    id,
    created_at: now,
    amr: [{ method, updated_at: now }],
    oauth_client_id: start.oauthClientId ?? null,
    scopes: start.scopes ?? null,
  };
  const access = await issueAccessToken(context, flow.tx, flow.call, signedIn, session, method);
  return sessionReply(context, access, refreshToken, signedIn);
}

/** Browser and address that a session is used from. */
export const clientOf = (call: Call): { readonly userAgent: string | null; readonly ip: string | null } => ({
  userAgent: headerText(call.request, 'user-agent'),
  ip: call.request.ip === '' ? null : call.request.ip,
});

function firstRefreshToken(
  context: AuthContext,
  sessionId: string,
): { readonly refreshToken: string; readonly refresh: NewSession['refresh'] } {
  if (context.config.refreshTokenVersion !== 2) {
    const token = makeShortToken(context.random);
    return { refreshToken: token, refresh: { form: 'short', token } };
  }
  const key = context.random.bytes(32);
  return {
    refreshToken: encodeCounterToken(sessionId, 0n, key),
    refresh: { form: 'counter', hmacKey: context.encryption.seal(sessionId, key.toString('base64url')) },
  };
}

/** An access token and when it ends. */
export type AccessToken = { readonly token: string; readonly expiresAt: number };

/** What claims need to know of a session. */
type TokenSession = Pick<Session, 'id' | 'created_at' | 'amr' | 'oauth_client_id' | 'scopes'>;

/** Makes an access token; the project's hook may write its claims. */
export async function issueAccessToken(
  context: AuthContext,
  tx: Transaction | null,
  call: Call,
  user: User,
  session: TokenSession,
  method: string,
): Promise<AccessToken> {
  const policy = {
    issuer: context.issuer,
    expirySeconds: context.config.jwtExpiry,
    lowAalMs: context.config.sessionLowAalMs,
  };
  const own = accessClaims(user, session, policy, context.clock.now());
  const claims = await claimsByHook(context, tx, call, user, own, method);
  return { token: await signToken(claims, context.keys.signing), expiresAt: own.exp };
}

const requiredClaims = z.looseObject({
  aud: z.union([z.string(), z.array(z.unknown())]),
  exp: z.int(),
  iat: z.int(),
  sub: z.string(),
  email: z.string(),
  phone: z.string(),
  role: z.string(),
  aal: z.string(),
  session_id: z.string(),
  is_anonymous: z.unknown().refine((value) => value !== undefined, 'is required'),
  jti: z.string().optional(),
  iss: z.string().optional(),
  nbf: z.int().optional(),
  app_metadata: z.record(z.string(), z.unknown()).optional(),
  user_metadata: z.record(z.string(), z.unknown()).optional(),
  amr: z.array(z.union([z.string(), z.record(z.string(), z.unknown())])).optional(),
  client_id: z.string().optional(),
});

async function claimsByHook(
  context: AuthContext,
  tx: Transaction | null,
  call: Call,
  user: User,
  claims: AccessClaims,
  method: string,
): Promise<JsonObject> {
  if (!context.hooks.has('custom_access_token')) return claims;
  const input = { user_id: user.id, claims, authentication_method: method };
  const output = await context.hooks.call('custom_access_token', input, call.request.ip, tx);
  if (output === null) throw hookFailure.badClaims('- (root): Invalid type. Expected: object, given: null\n');
  const given =
    typeof output === 'object' && output !== null && 'claims' in output ? output.claims : undefined;
  if (given === undefined || given === null) throw hookFailure.noClaims();
  if (typeof given !== 'object' || Array.isArray(given)) throw hookFailure.badOutput();
  const checked = requiredClaims.safeParse(given);
  if (checked.success) return checked.data;
  throw hookFailure.badClaims(checked.error.issues.map((issue) => problemOf(issue, given)).join(''));
}

/** A problem in the words of upstream's library (gojsonschema). */
function problemOf(issue: z.core.$ZodIssue, claims: object): string {
  const [name = ''] = issue.path.map(String);
  const value = (claims as JsonObject)[name];
  if (value === undefined) return `- (root): ${name} is required\n`;
  const expected = 'expected' in issue ? String(issue.expected).replace(/^(int|number)$/, 'integer') : null;
  const given = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
  return expected === null
    ? `- ${name}: Invalid type\n`
    : `- ${name}: Invalid type. Expected: ${expected}, given: ${given}\n`;
}

/** The body that signs a client in. */
export const sessionReply = (
  context: AuthContext,
  access: AccessToken,
  refreshToken: string,
  user: User,
): SessionReply => ({
  access_token: access.token,
  token_type: 'bearer',
  expires_in: access.expiresAt - Math.floor(context.clock.now() / 1000),
  expires_at: access.expiresAt,
  refresh_token: refreshToken,
  user: userJson(user),
});

/** Adds the headers that name what a token reply is about; nothing may keep it. */
export function noteSession(
  call: Call,
  userId: string,
  sessionId: string,
  shortToken: string | null,
  counter: bigint,
): void {
  call.replyHeaders['cache-control'] = 'no-store';
  call.replyHeaders['sb-auth-user-id'] = userId;
  call.replyHeaders['sb-auth-session-id'] = sessionId;
  if (shortToken === null) call.replyHeaders['sb-auth-refresh-token-counter'] = String(counter);
  else call.replyHeaders['sb-auth-refresh-token-prefix'] = shortToken.slice(0, 5);
}
