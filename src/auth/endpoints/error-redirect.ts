import type { AuthContext } from '../context.ts';
import { AuthError, OAuthError } from '../errors.ts';
import { errorParams, type RedirectParams } from '../redirects/location.ts';

/** Tells the operator of what clients get no detail about. */
const report = (context: AuthContext, message: string, error: unknown): void =>
  context.observer({ kind: 'fault', service: 'auth', message, error });

const denied: readonly string[] = ['signup_disabled', 'user_banned', 'provider_email_needs_verification'];

/**
 * What an error says in a redirect; unknown ones say nothing, and are reported.
 * Upstream: internal/api/external.go (getErrorQueryString).
 */
export function redirectParamsOf(context: AuthContext, thrown: unknown): RedirectParams {
  if (thrown instanceof OAuthError) return { error: thrown.error, error_description: thrown.message };
  if (thrown instanceof AuthError) {
    if (thrown.status >= 500) report(context, thrown.message, thrown.cause ?? thrown);
    const params = errorParams(thrown.status, thrown.namedCode, thrown.message);
    return {
      ...params,
      error: denied.includes(thrown.code) ? 'access_denied' : (params.error ?? 'server_error'),
    };
  }
  report(context, 'a sign-in through a provider failed', thrown);
  return errorParams(
    500,
    'unexpected_failure',
    'Unexpected failure, please check server logs for more information',
  );
}
