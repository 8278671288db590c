import { createHash } from 'node:crypto';
import type { Call, UserCall } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { OAuthError } from '../errors.ts';
import { customProviderFailure } from '../failures/custom-provider.ts';
import { providerFailure } from '../failures/provider.ts';
import { clientIds } from '../providers/client.ts';
import { discoveryUrlOf } from '../providers/custom.ts';
import { appleIssuers, idTokenUser, isAzureIssuer, snapchatIssuer } from '../providers/id-token-user.ts';
import { issuerOf } from '../providers/oidc.ts';
import { findCustomProvider } from '../store/custom-providers.ts';
import type { JsonObject } from '../store/rows.ts';
import { callAfterExternal, callBeforeExternal, type External, settleExternal } from './external-account.ts';
import { isCustomName } from './find-provider.ts';
import { runFlow } from './flow.ts';
import { linkIdentity } from './link-identity.ts';
import { beginSession } from './session.ts';

/** An ID token that an app got by itself. */
export type IdTokenRequest = {
  readonly idToken: string;
  readonly accessToken: string;
  readonly nonce: string;
  readonly provider: string;
  readonly clientId: string;
  readonly issuer: string;
};

/** Whose tokens are accepted, and made for whom. */
type Expectation = {
  readonly provider: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly skipsNonce: boolean;
  readonly isEmailOptional: boolean;
  /** Where the issuer describes itself, when that is not the usual place. */
  readonly discoveryUrl?: string;
};

/** Issuers by provider, where a provider has one. */
const issuers: Readonly<Record<string, string>> = {
  google: 'https://accounts.google.com',
  facebook: 'https://www.facebook.com',
  kakao: 'https://kauth.kakao.com',
  vercel_marketplace: 'https://marketplace.vercel.com',
  snapchat: snapchatIssuer,
};

const invalid = (description: string): OAuthError => new OAuthError('invalid request', description);

/**
 * Signs in, or links, by an ID token that the app brings along.
 * Upstream: internal/api/token_oidc.go.
 */
export async function signInWithIdToken(
  context: AuthContext,
  call: Call,
  request: IdTokenRequest,
  target: UserCall | null,
): Promise<JsonObject> {
  const expected = await expectationOf(context, request);
  const external = await readToken(context, request, expected);
  if (target === null) await callBeforeExternal(context, call, external);
  const settled = await runFlow(context, call, async (flow) => {
    const outcome =
      target === null
        ? await settleExternal(context, flow, external)
        : await linkIdentity(context, flow, target.user, external);
    const session =
      outcome.refusal === null ? await beginSession(context, flow, outcome.user, 'oauth') : null;
    return { outcome, session };
  });
  if (settled.outcome.refusal !== null) throw settled.outcome.refusal;
  if (settled.outcome.isNew) await callAfterExternal(context, call, settled.outcome, settled.session);
  return settled.session ?? {};
}

async function expectationOf(context: AuthContext, request: IdTokenRequest): Promise<Expectation> {
  const { config } = context;
  const provider = providerOf(context, request);
  if (provider !== null && isCustomName(provider)) return customExpectation(context, provider);
  if (provider === null) return foreignIssuer(context, request);
  const setting = config.externalProviders[provider];
  const issuer = issuerFor(context, provider, request);
  if (setting?.enabled !== true) throw providerFailure.issuerDisabled(issuer);
  const bundle = provider === 'apple' && config.externalIosBundleId ? [config.externalIosBundleId] : [];
  return {
    provider,
    issuer,
    audiences: [...clientIds(setting), ...bundle],
    skipsNonce: provider === 'facebook' || setting.skip_nonce_check,
    isEmailOptional: setting.email_optional,
  };
}

/** The provider that a request names, itself or by its issuer; null for issuers of no provider. */
function providerOf({ config }: AuthContext, { provider, issuer }: IdTokenRequest): string | null {
  if (['apple', 'azure', 'keycloak', ...Object.keys(issuers)].includes(provider)) return provider;
  if (appleIssuers.includes(issuer)) return 'apple';
  if (isAzureIssuer(issuer)) return 'azure';
  const keycloak = config.externalProviders.keycloak;
  if (keycloak?.enabled && keycloak.url !== '' && keycloak.url === issuer) return 'keycloak';
  const known = Object.entries(issuers).find(([, url]) => url === issuer)?.[0] ?? null;
  return known ?? (isCustomName(provider) ? provider : null);
}

async function customExpectation(context: AuthContext, name: string): Promise<Expectation> {
  if (!context.config.customOAuthEnabled) throw providerFailure.customDisabled();
  const row = await findCustomProvider(context.db, name);
  if (row === null) throw customProviderFailure.tokenUnknown(name);
  if (!row.enabled) throw customProviderFailure.tokenDisabled(name);
  if (row.provider_type !== 'oidc' || row.issuer === null) throw customProviderFailure.tokenNotOidc(name);
  return {
    provider: name,
    issuer: row.issuer,
    audiences: [row.client_id, ...row.acceptable_client_ids],
    skipsNonce: row.skip_nonce_check,
    isEmailOptional: row.email_optional,
    discoveryUrl: discoveryUrlOf(row),
  };
}

function issuerFor(context: AuthContext, provider: string, request: IdTokenRequest): string {
  if (provider === 'keycloak') return context.config.externalProviders.keycloak?.url ?? '';
  if (provider !== 'apple' && provider !== 'azure') return issuers[provider] ?? '';
  const detected = issuerOf(request.idToken);
  const isApple = provider === 'apple';
  if (detected === null) {
    throw isApple ? providerFailure.appleIssuerUnknown() : providerFailure.azureIssuerUnknown();
  }
  const isKnown = isApple
    ? appleIssuers.includes(detected)
    : isAzureIssuer(detected) || detected.startsWith('https://sts.windows.net/');
  if (!isKnown) throw isApple ? providerFailure.appleIssuerWrong() : providerFailure.azureIssuerWrong();
  if (request.issuer !== '' && request.issuer !== detected) throw providerFailure.issuerMismatch();
  return detected;
}

function foreignIssuer({ config }: AuthContext, request: IdTokenRequest): Expectation {
  if (!config.externalAllowedIdTokenIssuers.includes(request.issuer)) {
    throw providerFailure.customNotAllowed(request.provider);
  }
  return {
    provider: request.issuer,
    issuer: request.issuer,
    audiences: [request.clientId],
    skipsNonce: false,
    isEmailOptional: false,
  };
}

async function readToken(
  context: AuthContext,
  request: IdTokenRequest,
  expected: Expectation,
): Promise<External> {
  let claims: JsonObject;
  try {
    const accessToken = request.accessToken === '' ? null : request.accessToken;
    claims = await context.oidc.verify(expected.issuer, request.idToken, accessToken, expected.discoveryUrl);
  } catch {
    // Which check failed is not for whoever brought the token.
    throw invalid('Bad ID token');
  }
  const user = readUser(claims);
  if (user.claims.sub === '') throw invalid('Missing sub claim in id_token');
  const audiences = [claims.aud].flat();
  if (!expected.audiences.some((id) => id !== '' && audiences.includes(id))) {
    throw invalid(`Unacceptable audience in id_token: [${audiences.join(' ')}]`);
  }
  if (!expected.skipsNonce) demandNonce(request.nonce, claims.nonce);
  return { provider: expected.provider, user, isEmailOptional: expected.isEmailOptional };
}

function readUser(claims: JsonObject): ReturnType<typeof idTokenUser> {
  try {
    return idTokenUser(claims);
  } catch {
    // Claims of the wrong type make a bad token, too.
    throw invalid('Bad ID token');
  }
}

/** The token holds the hash of the nonce that the app kept to itself. */
function demandNonce(nonce: string, inToken: unknown): void {
  const given = typeof inToken === 'string' ? inToken : '';
  if ((given === '') !== (nonce === '')) {
    throw invalid('Passed nonce and nonce in id_token should either both exist or not.');
  }
  if (nonce !== '' && createHash('sha256').update(nonce).digest('hex') !== given) {
    throw new OAuthError('invalid nonce', 'Nonces mismatch');
  }
}
