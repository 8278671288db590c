import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import { type Call, field, readJson } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { AuthError } from '../errors.ts';
import { refusedInEvenTime } from '../even-time.ts';
import { accountFailure } from '../failures/account.ts';
import { linkFailure } from '../failures/link.ts';
import { demandEmail, demandPhone } from '../flows/addresses.ts';
import { complete } from '../flows/complete.ts';
import { runFlow } from '../flows/flow.ts';
import { issueAuthCode } from '../flows/pkce.ts';
import { beginSession, type SessionReply } from '../flows/session.ts';
import { type TypedCode, type Verified, verifyCode, verifyHash } from '../flows/verify.ts';
import { errorParams, withFragment, withQuery, withTokens } from '../redirects/location.ts';
import { hashOtp, pkcePrefix } from '../tokens/one-time.ts';

const halfWay = 'Confirmation link accepted. Please proceed to confirm link sent to the other email';

const redirect = (location: string): HttpReply => ({ status: 303, headers: { location }, body: null });

/** What following a link comes to. */
type LinkOutcome =
  | { readonly kind: 'session'; readonly session: SessionReply; readonly type: string }
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'half-way' };

/**
 * GET /verify: a link of a mail, which ends at the app with tokens, a code or an error.
 * Upstream: internal/api/verify.go (verifyGet).
 */
export async function getVerify(context: AuthContext, call: Call): Promise<HttpReply> {
  const type = call.query.get('type') ?? '';
  const token = call.query.get('token') ?? '';
  const target = await call.redirectTo();
  if (type === '') throw linkFailure.verifyNoType();
  if (token === '') throw linkFailure.verifyNoToken();
  const isPkce = token.startsWith(pkcePrefix);
  try {
    const outcome = await followLink(context, call, type, token, isPkce);
    return redirect(locationOf(target, outcome, isPkce));
  } catch (thrown) {
    if (!(thrown instanceof AuthError) || thrown.status >= 500) throw thrown;
    const params = errorParams(thrown.status, thrown.namedCode, thrown.message);
    return redirect(withFragment(isPkce ? withQuery(target, params) : target, params));
  }
}

const followLink = (
  context: AuthContext,
  call: Call,
  type: string,
  token: string,
  isPkce: boolean,
): Promise<LinkOutcome> =>
  runFlow(context, call, async (flow) => {
    const verified = await verifyHash(context, flow, type, token);
    const user = await complete(context, flow, verified, token);
    if (user === null) return { kind: 'half-way' };
    if (!isPkce) {
      return { kind: 'session', session: await beginSession(context, flow, user, 'otp'), type: verified.as };
    }
    return { kind: 'code', code: await issueAuthCode(context, flow, user.id, flowMethod(verified)) };
  });

/** The method under which a flow was begun that a verification completes. */
const flowMethod = ({ as }: Verified): string => (as === 'signup' ? 'email/signup' : as);

function locationOf(target: string, outcome: LinkOutcome, isPkce: boolean): string {
  switch (outcome.kind) {
    case 'code':
      return withQuery(target, { code: outcome.code });
    case 'half-way':
      return withFragment(isPkce ? withQuery(target, { message: halfWay }) : target, { message: halfWay });
    case 'session': {
      const { access_token, refresh_token, expires_in, expires_at, token_type } = outcome.session;
      return withTokens(target, {
        access_token,
        refresh_token,
        expires_in: String(expires_in),
        expires_at: String(expires_at),
        token_type: String(token_type),
        type: outcome.type,
      });
    }
  }
}

const verifyBody = z
  .object({
    type: field.text,
    token: field.text,
    token_hash: field.text,
    email: field.text,
    phone: field.text,
    redirect_to: field.text,
  })
  .describe('VerifyParams');

type VerifyBody = z.infer<typeof verifyBody>;

/**
 * POST /verify: a code that was typed in, or the hash of a link that a server opened.
 * Upstream: internal/api/verify.go (verifyPost).
 */
export async function postVerify(context: AuthContext, call: Call): Promise<HttpReply> {
  const body = await readJson(call, verifyBody);
  if (body.type === '') throw linkFailure.verifyNoType();
  if ((body.token === '') === (body.token_hash === '')) throw linkFailure.verifyTokenOrHash();
  const typed = body.token === '' ? null : readTyped(body);
  if (typed === null && (body.email !== '' || body.phone !== '' || body.redirect_to !== '')) {
    throw linkFailure.verifyHashOnly();
  }
  const session = await refusedInEvenTime(() =>
    runFlow(context, call, async (flow) => {
      const verified =
        typed === null
          ? await verifyHash(context, flow, body.type, body.token_hash)
          : await verifyCode(context, flow, body.type, typed);
      const user = await complete(context, flow, verified, typed?.hash ?? body.token_hash);
      return user === null ? null : beginSession(context, flow, user, 'otp');
    }),
  );
  return jsonReply(200, session ?? { code: '200', msg: halfWay });
}

function readTyped({ email, phone, token }: VerifyBody): TypedCode {
  if (phone !== '' && email === '') {
    const value = demandPhone(phone);
    return { address: { kind: 'phone', value }, code: token, hash: hashOtp(value, token) };
  }
  if (email === '' || phone !== '') throw linkFailure.verifyOneAddress();
  const value = demandEmailHere(email);
  return { address: { kind: 'email', value }, code: token, hash: hashOtp(value, token) };
}

function demandEmailHere(email: string): string {
  try {
    return demandEmail(email);
  } catch {
    // Whatever is wrong with the address, this endpoint has one answer for it.
    throw accountFailure.emailInvalidOnVerify();
  }
}
