import type { Session, User } from '../store/rows.ts';
import { epochMs } from '../timestamp.ts';
import { amrOf, highestLevel, levelOf } from './assurance.ts';

/** What the claims of an access token depend on besides user and session. */
export type ClaimsPolicy = {
  readonly issuer: string;
  readonly expirySeconds: number;
  /** Time in which a user with a second factor must use it; null has no limit. */
  readonly lowAalMs: number | null;
};

/** Claims of an access token, in upstream's order. */
export type AccessClaims = {
  readonly iss?: string;
  readonly sub: string;
  readonly aud: string;
  readonly exp: number;
  readonly iat: number;
  readonly [claim: string]: unknown;
};

/**
 * The claims of a user's access token.
 * Upstream: internal/tokens/service.go (GenerateAccessToken).
 */
export function accessClaims(
  user: User,
  session: Pick<Session, 'id' | 'created_at' | 'amr' | 'oauth_client_id' | 'scopes'>,
  policy: ClaimsPolicy,
  nowMs: number,
): AccessClaims {
  const iat = Math.floor(nowMs / 1000);
  const aal = levelOf(session.amr);
  const fullExp = iat + policy.expirySeconds;
  const isLow = aal < highestLevel(user);
  const exp =
    policy.lowAalMs && isLow
      ? Math.min(fullExp, Math.floor((epochMs(session.created_at) + policy.lowAalMs) / 1000))
      : fullExp;
  return {
    ...(policy.issuer === '' ? {} : { iss: policy.issuer }),
    sub: user.id,
    aud: user.aud ?? '',
    exp,
    iat,
    email: user.email ?? '',
    phone: user.phone ?? '',
    app_metadata: user.raw_app_meta_data ?? {},
    user_metadata: user.raw_user_meta_data ?? {},
    role: user.role ?? '',
    aal,
    amr: amrOf(session, user),
    session_id: session.id,
    is_anonymous: user.is_anonymous,
    ...(session.oauth_client_id === null ? {} : { client_id: session.oauth_client_id }),
    ...(session.scopes ? { scope: session.scopes } : {}),
  };
}
