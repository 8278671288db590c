import type { RefreshToken, Session } from '../store/rows.ts';
import { epochMs } from '../timestamp.ts';
import type { AssuranceLevel } from './assurance.ts';

/** Limits of a session's life; null ones do not apply. */
export type SessionLimits = {
  readonly timeboxMs: number | null;
  readonly inactivityMs: number | null;
  readonly lowAalMs: number | null;
};

/** Whether a session may go on, or which limit it has passed. */
export type SessionValidity = 'valid' | 'expired' | 'inactive' | 'low-aal';

/**
 * When a session was last active, in epoch milliseconds: its refresh, else its newest token, else its beginning.
 */
export function lastActiveMs(
  session: Pick<Session, 'refreshed_at' | 'created_at'>,
  token: Pick<RefreshToken, 'updated_at'> | null = null,
): number {
  if (session.refreshed_at !== null) return epochMs(session.refreshed_at);
  const created = epochMs(session.created_at);
  const updated = token?.updated_at ?? null;
  return updated === null ? created : Math.max(created, epochMs(updated));
}

/**
 * Checks a session against the limits, in upstream's order.
 * Upstream: internal/models/sessions.go (CheckValidity).
 */
export function sessionValidity(
  session: Session,
  limits: SessionLimits,
  nowMs: number,
  highest: AssuranceLevel,
  token: Pick<RefreshToken, 'updated_at'> | null = null,
): SessionValidity {
  const createdMs = epochMs(session.created_at);
  if (session.not_after !== null && nowMs > epochMs(session.not_after)) return 'expired';
  if (limits.timeboxMs && nowMs > createdMs + limits.timeboxMs) return 'expired';
  if (limits.inactivityMs && nowMs > lastActiveMs(session, token) + limits.inactivityMs) return 'inactive';
  const isLow = (session.aal ?? 'aal1') < highest;
  if (limits.lowAalMs && isLow && nowMs > createdMs + limits.lowAalMs) return 'low-aal';
  return 'valid';
}

/** The kind that a session counts as, among the configured ones; the first is the default. */
export function sessionTag(session: Pick<Session, 'tag'>, tags: readonly string[]): string {
  const [fallback = ''] = tags;
  return session.tag !== null && tags.includes(session.tag) ? session.tag : fallback;
}
