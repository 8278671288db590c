import type { AuthContext } from '../context.ts';
import { AuthError } from '../errors.ts';
import { type ConfiguredProvider, configuredProvider, type ProviderProblem } from '../providers/client.ts';
import { customProvider, discoveryUrlOf } from '../providers/custom.ts';
import type { OidcDiscovery } from '../providers/oidc.ts';
import { demandPublicUrl } from '../providers/public-url.ts';
import { type CustomProvider, findCustomProvider } from '../store/custom-providers.ts';

/** Whether a name is that of a provider that the project made itself. */
export const isCustomName = (name: string): boolean => name.startsWith('custom:');

/** What a provider of the project says of itself; the address is checked again each time it is asked. */
async function discoverCustom(context: AuthContext, row: CustomProvider): Promise<OidcDiscovery> {
  const url = discoveryUrlOf(row);
  await demandPublicUrl(url);
  return context.oidc.discover(row.issuer ?? '', url);
}

/** The provider of a name, built in or made by the project, or why there is none. */
export async function findProvider(
  context: AuthContext,
  givenName: string,
  scopes: readonly string[],
): Promise<ConfiguredProvider | ProviderProblem> {
  const name = givenName.toLowerCase();
  if (!isCustomName(name)) return configuredProvider(context, name);
  const { config } = context;
  if (!config.customOAuthEnabled) return { problem: 'custom OAuth providers are disabled' };
  const row = await findCustomProvider(context.db, name);
  if (row === null) return { problem: `custom provider ${name} not found` };
  if (!row.enabled) return { problem: `custom provider ${name} is disabled` };
  let discovery: OidcDiscovery | null = null;
  try {
    if (row.provider_type === 'oidc') discovery = await discoverCustom(context, row);
  } catch (thrown) {
    const reason = thrown instanceof AuthError ? thrown.message : 'its discovery document cannot be had';
    return { problem: `error creating OIDC provider: failed to create OIDC provider: ${reason}` };
  }
  const base = (config.customOAuthExternalUrl ?? context.externalUrl).replace(/\/+$/, '');
  return customProvider(row, {
    secret: context.encryption.open(row.id, row.client_secret),
    redirectUri: `${base}/callback`,
    scopes,
    discovery,
  });
}
