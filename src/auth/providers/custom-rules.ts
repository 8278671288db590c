import type { JsonObject } from '../store/rows.ts';

/** What an administrator says of a provider; undefined members were left out. */
export type CustomProviderParams = {
  readonly provider_type: string;
  readonly identifier: string;
  readonly name: string;
  readonly client_id: string;
  readonly client_secret: string;
  readonly issuer: string;
  readonly authorization_url: string;
  readonly token_url: string;
  readonly userinfo_url: string;
  readonly attribute_mapping: JsonObject | null;
  readonly authorization_params: JsonObject | null;
  readonly custom_claims_allowlist: readonly string[] | null;
};

/** Members of an authorize URL that the service sets itself. */
export const reservedParams: readonly string[] = [
  'client_id',
  'client_secret',
  'redirect_uri',
  'response_type',
  'state',
  'code_challenge',
  'code_challenge_method',
  'code_verifier',
  'nonce',
];

/** Members of users that no provider may write. */
const protectedFields: readonly string[] = [
  'id',
  'aud',
  'role',
  'app_metadata',
  'created_at',
  'updated_at',
  'confirmed_at',
  'email_confirmed_at',
  'phone_confirmed_at',
  'email_verified',
  'phone_verified',
  'banned_until',
  'is_super_admin',
];

/** What is wrong with an identifier; null when nothing is. */
export const identifierProblem = (identifier: string): string | null =>
  identifier.startsWith('custom:')
    ? null
    : `identifier must start with 'custom:' prefix, e.g. 'custom:${identifier}'`;

function requiredProblem(params: CustomProviderParams): string | null {
  if (params.identifier === '') return 'identifier is required';
  const identifier = identifierProblem(params.identifier);
  if (identifier !== null) return identifier;
  const missing = (['name', 'client_id', 'client_secret'] as const).find((key) => params[key] === '');
  if (missing !== undefined) return `${missing} is required`;
  if (params.provider_type === 'oidc')
    return params.issuer === '' ? 'issuer is required for OIDC providers' : null;
  const url = (['authorization_url', 'token_url', 'userinfo_url'] as const).find((key) => params[key] === '');
  return url === undefined ? null : `${url} is required for OAuth2 providers`;
}

/** What is wrong with the settings of a provider; null when nothing is. */
export function settingsProblem(
  params: Pick<
    CustomProviderParams,
    'attribute_mapping' | 'authorization_params' | 'custom_claims_allowlist'
  >,
): string | null {
  for (const [key, value] of Object.entries(params.authorization_params ?? {})) {
    if (reservedParams.includes(key)) return `Cannot override reserved OAuth parameter: ${key}`;
    if (typeof value !== 'string') return `Authorization parameter ${JSON.stringify(key)} must be a string`;
  }
  const target = Object.keys(params.attribute_mapping ?? {}).find((key) => protectedFields.includes(key));
  if (target !== undefined) return `Cannot map to protected system field: ${target}`;
  return (params.custom_claims_allowlist ?? []).every((key) => key.trim() !== '')
    ? null
    : 'custom_claims_allowlist entries must be non-empty strings';
}

/**
 * What is wrong with a new provider; null when nothing is.
 * Upstream: internal/api/custom_oauth_admin.go.
 */
export const newProviderProblem = (params: CustomProviderParams): string | null =>
  (['oauth2', 'oidc'].includes(params.provider_type)
    ? null
    : "provider_type must be either 'oauth2' or 'oidc'") ??
  requiredProblem(params) ??
  settingsProblem(params);
