import { scopeList, supportedScopes } from './scopes.ts';

/** A client's request to act for a user; empty members count as absent. */
export type AuthorizeRequest = {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly responseType: string;
  readonly scope: string;
  readonly state: string;
  readonly resource: string;
  readonly codeChallenge: string;
  readonly codeChallengeMethod: string;
  readonly nonce: string;
};

/** Reads a request, with what stands for members that were left out. */
export function readAuthorizeRequest(query: URLSearchParams, defaultScope: string): AuthorizeRequest {
  const get = (name: string): string => query.get(name) ?? '';
  return {
    clientId: get('client_id'),
    redirectUri: get('redirect_uri'),
    responseType: get('response_type') || 'code',
    scope: get('scope') || defaultScope,
    state: get('state'),
    resource: get('resource'),
    codeChallenge: get('code_challenge'),
    codeChallengeMethod: get('code_challenge_method'),
    nonce: get('nonce'),
  };
}

function scopeProblem(scope: string): string | null {
  if (scope === '') return 'scope parameter is required';
  const scopes = scopeList(scope);
  if (scopes.length === 0) return 'scope parameter cannot be empty';
  const unknown = scopes.find((name) => !supportedScopes.includes(name));
  return unknown === undefined ? null : `unsupported scope: ${unknown}`;
}

/** RFC 8707: an absolute URI without fragment, and here without query. */
function resourceProblem(resource: string): string | null {
  if (resource === '') return null;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(resource) || /%(?![0-9a-f]{2})/i.test(resource)) {
    return 'resource must be a valid URI';
  }
  if (!/^[a-z][a-z0-9+.-]*:/i.test(resource)) return 'resource must be an absolute URI';
  const [beforeFragment = '', fragment = ''] = resource.split('#', 2);
  if (fragment !== '') return 'resource must not include a fragment component';
  const [, query = ''] = beforeFragment.split('?', 2);
  return query === '' ? null : 'resource must not include a query component';
}

function challengeProblem({ codeChallenge, codeChallengeMethod }: AuthorizeRequest): string | null {
  if (codeChallenge === '' || codeChallengeMethod === '') {
    return 'PKCE flow requires both code_challenge and code_challenge_method';
  }
  if (!['s256', 'plain'].includes(codeChallengeMethod.toLowerCase())) {
    return "code_challenge_method must be 'S256' or 'plain'";
  }
  const length = Buffer.byteLength(codeChallenge);
  return length < 43 || length > 128 ? 'code_challenge must be between 43 and 128 characters' : null;
}

/**
 * What is wrong with a request whose client and redirect URI are known to be right; null when nothing is.
 * Upstream: internal/api/oauthserver/authorize.go.
 */
export const authorizeProblem = (request: AuthorizeRequest): string | null =>
  (request.responseType === 'code' ? null : 'only response_type=code is supported') ??
  scopeProblem(request.scope) ??
  resourceProblem(request.resource) ??
  challengeProblem(request);
