import type { Session, User } from '../store/rows.ts';
import { epochMs } from '../timestamp.ts';

/** How sure a session is of its user: two factors, or one. */
export type AssuranceLevel = 'aal1' | 'aal2';

/** One entry of a token's `amr` claim. */
export type AmrEntry = { readonly method: string; readonly timestamp: number; readonly provider?: string };

const secondFactors: ReadonlySet<string> = new Set(['totp', 'mfa/phone', 'mfa/webauthn']);

/** The level that a user could reach with the factors that are set up. */
export const highestLevel = (user: Pick<User, 'factors'>): AssuranceLevel =>
  user.factors.some((factor) => factor.status === 'verified') ? 'aal2' : 'aal1';

/**
 * The level that a session's methods amount to.
 * Upstream: internal/models/sessions.go (CalculateAALAndAMR).
 */
export const levelOf = (amr: readonly { readonly method: string }[]): AssuranceLevel =>
  amr.some(({ method }) => secondFactors.has(method)) ? 'aal2' : 'aal1';

/** The `amr` claim of a session: newest method first, with the provider of a single sign-on. */
export function amrOf(session: Pick<Session, 'amr'>, user: Pick<User, 'identities'>): readonly AmrEntry[] {
  const [only] = user.identities;
  const ssoProvider =
    user.identities.length === 1 && only?.provider.startsWith('sso:') ? only.provider.slice(4) : null;
  return session.amr
    .map(({ method, updated_at }) => ({
      method,
      timestamp: Math.floor(epochMs(updated_at) / 1000),
      ...(method === 'sso/saml' && ssoProvider !== null ? { provider: ssoProvider } : {}),
    }))
    .sort((a, b) => b.timestamp - a.timestamp);
}

const recoveryMethods: ReadonlySet<string> = new Set(['otp', 'magiclink', 'recovery']);

/** Whether a session came from a link or code, so that its user may not know the password. */
export const isRecoverySession = (session: Pick<Session, 'amr'>): boolean =>
  session.amr.some(({ method }) => recoveryMethods.has(method));
