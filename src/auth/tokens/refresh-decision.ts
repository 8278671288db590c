import type { RefreshToken } from '../store/rows.ts';
import { epochMs } from '../timestamp.ts';

/*
 * What becomes of a refresh token. "Family" is all tokens of one session.
 *
 *   short form                                          counter form (d = session counter - token counter)
 *   ----------                                          -----------------------------------------------
 *   live                       -> swap for a child      d < 0                        -> not issued here
 *   parent of the live token   -> hand the live one     d = 0                        -> next counter
 *   revoked, within the window -> another child *       d = 1, window, or allowed    -> current counter again
 *   revoked, later             -> refuse (and revoke    else                         -> refuse (and end the
 *                                 the family)                                           session)
 *
 * * Only while the family lives: upstream lets the tokens of a revoked family be used once more within the window,
 *   and a thief with them.
 *
 * Upstream: internal/tokens/service.go (RefreshTokenGrant).
 */

/** Settings that the decision depends on. */
export type RefreshPolicy = {
  readonly reuseSeconds: number;
  readonly rotation: boolean;
  readonly allowReuse: boolean;
};

/** What to do with a token of the short form. */
export type ShortDecision =
  | { readonly kind: 'swap' }
  | { readonly kind: 'hand-out'; readonly token: string }
  | { readonly kind: 'refuse'; readonly revokeFamily: boolean };

/**
 * Decides about a token of the short form; `live` is the newest token of the session that is not revoked, of which
 * there is none when the session has moved to the counter form (`hasCounter`).
 */
export function decideShort(
  token: RefreshToken,
  live: RefreshToken | null,
  hasCounter: boolean,
  policy: RefreshPolicy,
  nowMs: number,
): ShortDecision {
  if (token.revoked !== true) return { kind: 'swap' };
  if (live !== null && live.parent === token.token) return { kind: 'hand-out', token: live.token };
  const updatedMs = token.updated_at === null ? 0 : epochMs(token.updated_at);
  const isFamilyAlive = live !== null || hasCounter;
  if (isFamilyAlive && nowMs <= updatedMs + policy.reuseSeconds * 1000) return { kind: 'swap' };
  return { kind: 'refuse', revokeFamily: policy.rotation };
}

/** What to do with a token of the counter form. */
export type CounterDecision =
  | { readonly kind: 'advance' }
  | { readonly kind: 'repeat'; readonly causes: readonly string[] }
  | { readonly kind: 'refuse'; readonly endSession: boolean }
  | { readonly kind: 'not-issued-here' };

/** Decides about a token of the counter form. */
export function decideCounter(
  tokenCounter: bigint,
  sessionCounter: bigint,
  lastActiveMs: number,
  policy: RefreshPolicy,
  nowMs: number,
): CounterDecision {
  const behind = sessionCounter - tokenCounter;
  if (behind < 0n) return { kind: 'not-issued-here' };
  if (behind === 0n) return { kind: 'advance' };
  const causes = [
    ...(Math.abs(nowMs - lastActiveMs) < policy.reuseSeconds * 1000 ? ['concurrent-refresh'] : []),
    ...(behind === 1n ? ['fail-to-save'] : []),
    ...(policy.allowReuse ? ['always-allow'] : []),
  ];
  return causes.length > 0 ? { kind: 'repeat', causes } : { kind: 'refuse', endSession: policy.rotation };
}
