/** What a client says about itself when it is registered; empty members count as absent. */
export type ClientDescription = {
  readonly redirectUris: readonly string[];
  readonly clientType: string;
  readonly authMethod: string;
  readonly grantTypes: readonly string[];
  readonly clientName: string;
  readonly clientUri: string;
  readonly logoUri: string;
};

const maxRedirects = 10;
const maxNameLength = 1024;
const maxUriLength = 2048;
const grantTypes = ['authorization_code', 'refresh_token'];
const authMethods = ['none', 'client_secret_basic', 'client_secret_post'];
const dangerousSchemes = ['javascript', 'data', 'file', 'vbscript', 'about', 'blob'];

/** What is wrong with a redirect URI; null when nothing is. */
function redirectProblem(uri: string): string | null {
  if (uri === '') return 'redirect URI cannot be empty';
  const match = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?/i.exec(uri);
  const scheme = match?.[1]?.toLowerCase() ?? '';
  const host = match?.[2] ?? '';
  if (scheme === '' || host === '') return 'must have scheme and host';
  if (dangerousSchemes.includes(scheme)) return `scheme '${scheme}' is not allowed for security reasons`;
  const hostname = host.replace(/^.*@/, '').replace(/:\d+$/, '');
  if (scheme === 'http' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname)) {
    return 'HTTP scheme only allowed for localhost';
  }
  return uri.includes('#') && !uri.endsWith('#') ? 'fragment not allowed in redirect URI' : null;
}

/** What is wrong with a list of redirect URIs; null when nothing is. */
export function redirectsProblem(uris: readonly string[], isRequired: boolean): string | null {
  if (uris.length === 0) return isRequired ? 'redirect_uris is required' : 'redirect_uris cannot be empty';
  if (uris.length > maxRedirects) return `redirect_uris cannot exceed ${maxRedirects} items`;
  for (const uri of uris) {
    const problem = redirectProblem(uri);
    if (problem !== null) return `invalid redirect_uri '${uri}': ${problem}`;
  }
  return null;
}

/** What is wrong with a list of grant types; null when nothing is. */
export function grantTypesProblem(types: readonly string[]): string | null {
  if (types.length === 0) return 'grant_types cannot be empty';
  return types.every((type) => grantTypes.includes(type))
    ? null
    : "grant_types must only contain 'authorization_code' and/or 'refresh_token'";
}

/** Whether a text is an absolute URI or an absolute path, as Go's url.ParseRequestURI takes them. */
const isRequestUri = (uri: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  /^(?:[a-z][a-z0-9+.-]*:|\/)/i.test(uri) && !/[\u0000-\u001f\u007f]|%(?![0-9a-f]{2})/i.test(uri);

/** What is wrong with the name or the pages of a client; null when nothing is. */
export function detailsProblem(
  client: Pick<ClientDescription, 'clientName' | 'clientUri' | 'logoUri'>,
): string | null {
  if (Buffer.byteLength(client.clientName) > maxNameLength)
    return `client_name cannot exceed ${maxNameLength} characters`;
  for (const [name, uri] of [
    ['client_uri', client.clientUri],
    ['logo_uri', client.logoUri],
  ] as const) {
    if (Buffer.byteLength(uri) > maxUriLength) return `${name} cannot exceed ${maxUriLength} characters`;
    if (uri !== '' && !isRequestUri(uri)) return `${name} must be a valid URL`;
  }
  return null;
}

/** The type of client that a method is for. */
const typeOfMethod = (method: string): 'public' | 'confidential' =>
  method === 'none' ? 'public' : 'confidential';

const methodsOfType = (type: string): readonly string[] =>
  authMethods.filter((method) => typeOfMethod(method) === type);

/** What is wrong with a method of authentication and a type that are registered together; null when nothing is. */
function newMethodProblem(clientType: string, method: string): string | null {
  if (method === '') return null;
  if (!authMethods.includes(method)) {
    return `token_endpoint_auth_method must be one of: [${authMethods.join(' ')}]`;
  }
  const expected = typeOfMethod(method);
  return clientType === '' || clientType === expected
    ? null
    : `client_type '${clientType}' is inconsistent with token_endpoint_auth_method '${method}' (expected client_type '${expected}')`;
}

/** What is wrong with another method for a client that there is; null when nothing is. */
export function changedMethodProblem(clientType: string, method: string): string | null {
  if (!authMethods.includes(method)) {
    return `invalid token_endpoint_auth_method: must be one of [${authMethods.join(' ')}]`;
  }
  return typeOfMethod(method) === clientType
    ? null
    : `token_endpoint_auth_method '${method}' is not valid for client_type '${clientType}'; valid methods: [${methodsOfType(clientType).join(' ')}]`;
}

/**
 * What is wrong with a registration, first problem first; null when nothing is.
 * Upstream: internal/api/oauthserver/service.go.
 */
export function registrationProblem(client: ClientDescription): string | null {
  const typeProblem =
    client.clientType === '' || ['public', 'confidential'].includes(client.clientType)
      ? null
      : "client_type must be 'public' or 'confidential'";
  return (
    redirectsProblem(client.redirectUris, true) ??
    (client.grantTypes.length === 0 ? null : grantTypesProblem(client.grantTypes)) ??
    detailsProblem(client) ??
    typeProblem ??
    newMethodProblem(client.clientType, client.authMethod)
  );
}

/** Type and method of a client that left them out. */
export function withDefaults(client: ClientDescription): {
  readonly type: 'public' | 'confidential';
  readonly method: string;
  readonly grantTypes: readonly string[];
} {
  const isPublic =
    client.clientType === 'public' || (client.clientType === '' && client.authMethod === 'none');
  return {
    type: isPublic ? 'public' : 'confidential',
    method: client.authMethod || (isPublic ? 'none' : 'client_secret_basic'),
    grantTypes: client.grantTypes.length === 0 ? grantTypes : client.grantTypes,
  };
}
