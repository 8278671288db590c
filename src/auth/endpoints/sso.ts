import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import { type Call, field, pkceFields, readJson } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { requestFailure } from '../failures/request.ts';
import { ssoFailure } from '../failures/sso.ts';
import { beginSso, type SsoTarget } from '../flows/begin-sso.ts';
import { finishSso } from '../flows/finish-sso.ts';
import { uuidProblem } from '../go-json/uuid.ts';
import { isUuid } from '../guard.ts';
import { withQuery } from '../redirects/location.ts';
import { providerMetadata } from '../sso/provider-metadata.ts';
import { redirectParamsOf } from './error-redirect.ts';

/** Refuses unless SAML is on. */
export function demandSaml({ serviceProvider }: AuthContext): void {
  if (serviceProvider === null) throw ssoFailure.samlDisabled();
}

const redirect = (status: 302 | 303, location: string): HttpReply => ({
  status,
  headers: { location },
  body: null,
});

const ssoBody = z
  .object({
    provider_id: field.text,
    domain: field.text,
    redirect_to: field.text,
    skip_http_redirect: field.flag,
    ...pkceFields,
  })
  .describe('SingleSignOnParams');

const nil = '00000000-0000-0000-0000-000000000000';

function targetOf({ provider_id, domain }: z.infer<typeof ssoBody>): SsoTarget {
  if (provider_id !== '' && !isUuid(provider_id)) throw requestFailure.badJson(uuidProblem(provider_id));
  const hasProvider = provider_id !== '' && provider_id !== nil;
  if (hasProvider && domain !== '') throw ssoFailure.invalid('Only one of provider_id or domain supported');
  if (!hasProvider && domain === '') {
    throw ssoFailure.invalid('A provider_id or domain needs to be provided');
  }
  return hasProvider ? { providerId: provider_id } : { domain };
}

/** POST /sso: sends the browser, or tells the app to send it, to an identity provider. */
export async function postSso(context: AuthContext, call: Call): Promise<HttpReply> {
  const body = await readJson(call, ssoBody);
  const url = await beginSso(context, call, {
    ...body,
    target: targetOf(body),
    redirectTo: body.redirect_to,
  });
  return body.skip_http_redirect ? jsonReply(200, { url }) : redirect(303, url);
}

/** POST /sso/saml/acs: where an identity provider sends the browser back to. */
export async function postSamlAcs(context: AuthContext, call: Call): Promise<HttpReply> {
  try {
    return redirect(302, await finishSso(context, call));
  } catch (thrown) {
    return redirect(303, withQuery(context.config.siteUrl, redirectParamsOf(context, thrown)));
  }
}

/** GET /sso/saml/metadata: what identity providers are set up with. */
export async function getSamlMetadata(context: AuthContext, call: Call): Promise<HttpReply> {
  const { serviceProvider } = context;
  if (serviceProvider === null) throw ssoFailure.samlDisabled();
  const isDownload = call.query.get('download') === 'true';
  return {
    status: 200,
    headers: {
      'content-type': 'application/xml',
      'cache-control': `public, max-age=${serviceProvider.nextKey === null ? 600 : 60}`,
      ...(isDownload ? { 'content-disposition': 'attachment; filename="metadata.xml"' } : {}),
    },
    body: providerMetadata(serviceProvider, context.clock.now(), isDownload),
  };
}
