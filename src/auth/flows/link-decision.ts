import type { ProviderEmail } from '../providers/provider.ts';
import type { User } from '../store/rows.ts';

/** What is known of somebody who comes from a provider. */
export type LinkState = {
  /** The user who has this very account already. */
  readonly owner: User | null;
  /** Users by identities with one of the verified addresses, in the domain of the provider. */
  readonly linked: readonly User[];
  /** Users who have one of the verified addresses themselves. */
  readonly similar: readonly User[];
  readonly emails: readonly ProviderEmail[];
  /** Whether the primary address belongs to an account already. */
  readonly isAddressTaken: boolean;
  /** Whether every address counts as verified. */
  readonly isAutoconfirm: boolean;
};

/** What becomes of them; `email` is the address that the account has or gets. */
export type LinkDecision =
  | { readonly kind: 'exists'; readonly user: User; readonly email: string; readonly isVerified: boolean }
  | { readonly kind: 'link'; readonly user: User; readonly email: string; readonly isVerified: boolean }
  | { readonly kind: 'create'; readonly email: string; readonly isVerified: boolean }
  | { readonly kind: 'several' };

/**
 * Decides whether an account at a provider is known, belongs to a user that there is, or makes a new one. Only
 * addresses that the provider vouches for link accounts.
 *
 * Upstream: internal/models/linking.go (DetermineAccountLinking).
 */
export function decideLink(state: LinkState): LinkDecision {
  const primary = state.emails.find(({ primary }) => primary);
  const email = primary?.email.toLowerCase() ?? '';
  const isVerified = primary?.verified ?? false;
  if (state.owner !== null) {
    return { kind: 'exists', user: state.owner, email: state.owner.email ?? '', isVerified };
  }
  const hasVerified = state.emails.some(({ verified }) => verified || state.isAutoconfirm);
  if (!hasVerified) return { kind: 'create', email: state.isAddressTaken ? '' : email, isVerified };
  const [first, ...others] = state.linked;
  if (first !== undefined) {
    const isOne = others.every(({ id }) => id === first.id);
    return isOne ? { kind: 'link', user: first, email, isVerified } : { kind: 'several' };
  }
  const [similar] = state.similar;
  if (similar === undefined) return { kind: 'create', email, isVerified };
  return state.similar.length === 1
    ? { kind: 'link', user: similar, email, isVerified }
    : { kind: 'several' };
}

/**
 * Accounts are linked within a domain: single sign-on has one for each provider, providers may be given one by the
 * configuration, and all others share one.
 */
export function linkingDomain(provider: string, domains: Readonly<Record<string, string>>): string {
  if (provider.startsWith('sso:')) return provider;
  return Object.hasOwn(domains, provider) ? (domains[provider] ?? 'default') : 'default';
}
