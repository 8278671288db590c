import type { AuthDeps } from '../deps.ts';
import { type ConfiguredProvider, urlAt } from './client.ts';
import { oauth1Header } from './oauth1.ts';
import type { OAuth1Endpoints, ProviderTokens, ProviderUser } from './provider.ts';

type Deps = Pick<AuthDeps, 'config' | 'fetch' | 'clock' | 'random'>;
type Token = { readonly token: string; readonly secret: string };

const noToken: Token = { token: '', secret: '' };

/** A provider whose sign-in is of OAuth 1.0a. */
export type OAuth1Provider = ConfiguredProvider & { readonly oauth1: OAuth1Endpoints };

/** The same provider, when it speaks OAuth 1.0a; null for any other. */
export function asOAuth1(provider: ConfiguredProvider): OAuth1Provider | null {
  const { oauth1 } = provider.definition;
  return oauth1 === undefined ? null : { ...provider, oauth1 };
}

async function ask(
  deps: Deps,
  provider: OAuth1Provider,
  url: string,
  { token, secret }: Token,
  members: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const credentials = {
    consumerKey: provider.clientId,
    consumerSecret: provider.secret,
    token,
    tokenSecret: secret,
  };
  const reply = await deps.fetch(url, {
    signal: AbortSignal.timeout(deps.config.outgoingTimeoutMs),
    headers: { authorization: oauth1Header({ method: 'GET', url, members }, credentials, deps) },
  });
  if (!reply.ok) throw new Error(`${new URL(url).pathname} answered ${reply.status}`);
  return reply;
}

async function readToken(reply: Response): Promise<Token> {
  const form = new URLSearchParams(await reply.text());
  const token = form.get('oauth_token') ?? '';
  if (token === '') throw new Error('the provider gave no token');
  return { token, secret: form.get('oauth_token_secret') ?? '' };
}

/**
 * Where a browser goes to sign in. Rejects with an `Error` when the provider gives no request token.
 * Upstream: internal/api/provider/twitter.go.
 */
export async function oauth1AuthorizeUrl(
  deps: Deps,
  provider: OAuth1Provider,
  state: string,
): Promise<string> {
  const callback = `${provider.redirectUri}?state=${state}`;
  const url = urlAt(provider.oauth1.requestToken, provider.url);
  const { token } = await readToken(await ask(deps, provider, url, noToken, { oauth_callback: callback }));
  const page = new URL(urlAt(provider.definition.authorize, provider.url));
  page.searchParams.set('oauth_token', token);
  return page.href;
}

/** The access token that an approved request token stands for. Rejects with an `Error` when there is none. */
export async function oauth1AccessToken(
  deps: Deps,
  provider: OAuth1Provider,
  requestToken: string,
  verifier: string,
): Promise<Token> {
  const url = urlAt(provider.definition.token, provider.url);
  const members = verifier === '' ? {} : { oauth_verifier: verifier };
  // Upstream keeps no secret of the request token either: the verifier and the consumer's secret stand for it.
  return readToken(await ask(deps, provider, url, { token: requestToken, secret: '' }, members));
}

/** Asks who the user is. Rejects with an `Error` when the provider does not say. */
export async function loadOAuth1User(
  deps: Deps,
  provider: OAuth1Provider,
  access: Token,
): Promise<{ readonly tokens: ProviderTokens; readonly user: ProviderUser }> {
  const url = urlAt(provider.oauth1.profile, provider.url);
  const answer: unknown = await (await ask(deps, provider, url, access)).json();
  const user = provider.oauth1.read(answer, url.split('?')[0] ?? url);
  if (user.claims.sub === '') throw new Error('the profile has no id');
  return { tokens: { accessToken: access.token, refreshToken: '', idToken: null, raw: {} }, user };
}
