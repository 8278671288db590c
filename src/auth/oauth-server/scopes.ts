/** Scopes that clients may ask for. Upstream: internal/models/oauth_scope.go. */
export const supportedScopes: readonly string[] = ['openid', 'profile', 'email', 'phone', 'offline_access'];

/** The scopes of a space-separated list. */
export const scopeList = (text: string): readonly string[] =>
  text
    .split(' ')
    .map((scope) => scope.trim())
    .filter((scope) => scope !== '');

/** Whether every requested scope was granted. */
export const coversScopes = (granted: string, requested: string): boolean => {
  const has = scopeList(granted);
  return scopeList(requested).every((scope) => has.includes(scope));
};
