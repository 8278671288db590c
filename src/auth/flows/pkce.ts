import { createHash, timingSafeEqual } from 'node:crypto';
import type { AuthContext } from '../context.ts';
import { linkFailure } from '../failures/link.ts';
import type { FlowState } from '../store/flow-states.ts';
import { findLatestFlow, insertFlowState, markCodeIssued } from '../store/flow-states.ts';
import { epochMs } from '../timestamp.ts';
import type { Flow } from './flow.ts';

/** What a client sends to end a flow in a code; null for the implicit flow. */
export type Challenge = { readonly challenge: string; readonly method: 's256' | 'plain' };

/** Checks the two members; upstream answers 500 for an unknown method, which is a client's mistake here. */
export function readChallenge(body: {
  readonly code_challenge: string;
  readonly code_challenge_method: string;
}): Challenge | null {
  const { code_challenge: challenge, code_challenge_method: method } = body;
  if ((challenge === '') !== (method === '')) throw linkFailure.pkceBothParams();
  if (challenge === '') return null;
  if (challenge.length < 43 || challenge.length > 128) throw linkFailure.pkceLength();
  if (!/^[a-zA-Z0-9._~-]+$/.test(challenge)) throw linkFailure.pkceCharacters();
  const known = method.toLowerCase();
  if (known !== 's256' && known !== 'plain') throw linkFailure.pkceMethod();
  return { challenge, method: known };
}

/** Records a flow that a mail is to complete; nothing for the implicit flow. */
export async function beginMailFlow(
  context: AuthContext,
  flow: Flow,
  userId: string,
  provider: string,
  method: string,
  challenge: Challenge | null,
): Promise<void> {
  if (challenge === null) return;
  const state = {
    id: context.random.uuid(),
    user_id: userId,
    auth_code: context.random.uuid(),
    code_challenge: challenge.challenge,
    code_challenge_method: challenge.method,
    provider_type: provider,
    authentication_method: method,
  };
  await insertFlowState(flow.tx, state, context.now());
}

/** Hands out the code of a user's newest flow of a method. */
export async function issueAuthCode(
  context: AuthContext,
  flow: Flow,
  userId: string,
  method: string,
): Promise<string> {
  const state = await findLatestFlow(flow.tx, userId, method);
  if (state === null) throw linkFailure.noFlowForLink('No valid flow state found for user.');
  if (state.auth_code === null || !state.code_challenge) {
    throw linkFailure.noFlowForLink('Flow state does not have an auth code (not a PKCE flow).');
  }
  await markCodeIssued(flow.tx, state.id, context.now());
  return state.auth_code;
}

const minExpiryMs = 300_000;

/**
 * Whether a code came too late. It counts from when it was handed out: upstream counts some flows from the sending of
 * the mail, so that links opened after five minutes could not be used.
 */
export function isFlowExpired(state: FlowState, expiryMs: number, nowMs: number): boolean {
  const since = epochMs(state.auth_code_issued_at ?? state.created_at);
  return nowMs > since + Math.max(expiryMs, minExpiryMs);
}

/** Whether a verifier is the one that the challenge was made from; compared in constant time. */
export function matchesChallenge(
  state: Pick<FlowState, 'code_challenge' | 'code_challenge_method'>,
  verifier: string,
): boolean {
  if (!state.code_challenge) return false;
  const given =
    state.code_challenge_method === 's256'
      ? createHash('sha256').update(verifier).digest('base64url')
      : verifier;
  const [a, b] = [Buffer.from(given), Buffer.from(state.code_challenge)];
  return a.length === b.length && timingSafeEqual(a, b);
}
