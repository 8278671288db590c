import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import { type AdminCall, type Call, field, readJson } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { oauthServerFailure } from '../failures/oauth-server.ts';
import { isUuid } from '../guard.ts';
import { hashClientSecret } from '../oauth-server/client-credentials.ts';
import {
  changedMethodProblem,
  detailsProblem,
  grantTypesProblem,
  redirectsProblem,
  registrationProblem,
  withDefaults,
} from '../oauth-server/client-rules.ts';
import {
  findClient,
  insertClient,
  listClients,
  type OAuthClient,
  updateClient,
} from '../store/oauth-clients.ts';
import type { JsonObject } from '../store/rows.ts';
import { rfc3339 } from '../timestamp.ts';

/** Refuses unless the OAuth server is on. */
export function demandOAuthServer({ config }: AuthContext): void {
  if (!config.oauthServerEnabled) throw oauthServerFailure.disabled();
}

const split = (list: string): readonly string[] => (list === '' ? [] : list.split(','));

/** A client as its owner sees it; the secret is shown once. */
const clientJson = (client: OAuthClient, secret: string | null = null): JsonObject => ({
  client_id: client.id,
  client_secret: secret ?? undefined,
  client_type: client.client_type,
  redirect_uris: split(client.redirect_uris),
  token_endpoint_auth_method: client.token_endpoint_auth_method,
  grant_types: split(client.grant_types),
  response_types: ['code'],
  client_name: client.client_name || undefined,
  client_uri: client.client_uri || undefined,
  logo_uri: client.logo_uri || undefined,
  registration_type: client.registration_type,
  created_at: rfc3339(client.created_at),
  updated_at: rfc3339(client.updated_at),
});

const texts = z.array(z.string()).nullish();

const registerBody = z
  .object({
    redirect_uris: texts,
    client_type: field.text,
    token_endpoint_auth_method: field.text,
    grant_types: texts,
    client_name: field.text,
    client_uri: field.text,
    logo_uri: field.text,
  })
  .describe('OAuthServerClientRegisterParams');

async function register(
  context: AuthContext,
  call: Call,
  registrationType: 'dynamic' | 'manual',
): Promise<HttpReply> {
  const body = await readJson(call, registerBody, oauthServerFailure.badBody);
  const description = {
    redirectUris: body.redirect_uris ?? [],
    clientType: body.client_type,
    authMethod: body.token_endpoint_auth_method,
    grantTypes: body.grant_types ?? [],
    clientName: body.client_name,
    clientUri: body.client_uri,
    logoUri: body.logo_uri,
  };
  const problem = registrationProblem(description);
  // Upstream wraps the refusal in another one, whose text keeps the inner status.
  if (problem !== null) throw oauthServerFailure.invalid(`400: ${problem}`);
  const { type, method, grantTypes } = withDefaults(description);
  const secret = type === 'confidential' ? context.random.bytes(32).toString('base64url') : null;
  const client = await insertClient(
    context.db,
    {
      id: context.random.uuid(),
      client_secret_hash: secret === null ? '' : hashClientSecret(secret),
      registration_type: registrationType,
      redirect_uris: description.redirectUris.join(','),
      grant_types: grantTypes.join(','),
      client_name: body.client_name || null,
      client_uri: body.client_uri || null,
      logo_uri: body.logo_uri || null,
      client_type: type,
      token_endpoint_auth_method: method,
    },
    context.now(),
  );
  return jsonReply(201, clientJson(client, secret));
}

/** POST /oauth/clients/register: a client that registers itself (RFC 7591). */
export async function postClientRegistration(context: AuthContext, call: Call): Promise<HttpReply> {
  if (!context.config.oauthServerDynamicRegistration) throw oauthServerFailure.registrationDisabled();
  return register(context, call, 'dynamic');
}

/** POST /admin/oauth/clients. */
export const postClient = (context: AuthContext, call: AdminCall): Promise<HttpReply> =>
  register(context, call, 'manual');

/** GET /admin/oauth/clients. */
export async function getClients(context: AuthContext): Promise<HttpReply> {
  const clients = await listClients(context.db);
  return jsonReply(200, clients.length === 0 ? {} : { clients: clients.map((client) => clientJson(client)) });
}

/** The client of the path. */
export async function demandPathClient(
  context: AuthContext,
  call: Pick<Call, 'params'>,
): Promise<OAuthClient> {
  const id = call.params.client_id ?? '';
  if (!isUuid(id)) throw oauthServerFailure.clientIdFormat();
  const client = await findClient(context.db, id);
  if (client === null) throw oauthServerFailure.clientNotFound();
  return client;
}

/** GET /admin/oauth/clients/{client_id}. */
export async function getClient(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  return jsonReply(200, clientJson(await demandPathClient(context, call)));
}

const updateBody = z
  .object({
    redirect_uris: texts,
    grant_types: texts,
    client_name: field.optionalText,
    client_uri: field.optionalText,
    logo_uri: field.optionalText,
    token_endpoint_auth_method: field.optionalText,
  })
  .describe('OAuthServerClientUpdateParams');

type UpdateBody = z.infer<typeof updateBody>;

/** PUT /admin/oauth/clients/{client_id}: members that are there replace what was. */
export async function putClient(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const client = await demandPathClient(context, call);
  const body = await readJson(call, updateBody, oauthServerFailure.badBody);
  if (Object.values(body).every((value) => value === null || value === undefined)) {
    throw oauthServerFailure.nothingToUpdate();
  }
  const problem = updateProblem(client, body);
  if (problem !== null) throw oauthServerFailure.invalid(problem);
  const patch = {
    ...(body.redirect_uris ? { redirect_uris: body.redirect_uris.join(',') } : {}),
    ...(body.grant_types ? { grant_types: body.grant_types.join(',') } : {}),
    ...(body.client_name === null ? {} : { client_name: body.client_name || null }),
    ...(body.client_uri === null ? {} : { client_uri: body.client_uri || null }),
    ...(body.logo_uri === null ? {} : { logo_uri: body.logo_uri || null }),
    ...(body.token_endpoint_auth_method === null
      ? {}
      : { token_endpoint_auth_method: body.token_endpoint_auth_method }),
  };
  return jsonReply(200, clientJson(await updateClient(context.db, client.id, patch, context.now())));
}

const updateProblem = (client: OAuthClient, body: UpdateBody): string | null =>
  (body.redirect_uris ? redirectsProblem(body.redirect_uris, false) : null) ??
  (body.grant_types ? grantTypesProblem(body.grant_types) : null) ??
  detailsProblem({
    clientName: body.client_name ?? '',
    clientUri: body.client_uri ?? '',
    logoUri: body.logo_uri ?? '',
  }) ??
  (body.token_endpoint_auth_method === null
    ? null
    : changedMethodProblem(client.client_type, body.token_endpoint_auth_method));

/** DELETE /admin/oauth/clients/{client_id}: the row stays, for what refers to it. */
export async function deleteClient(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const client = await demandPathClient(context, call);
  const now = context.now();
  await updateClient(context.db, client.id, { deleted_at: now }, now);
  return { status: 204, headers: {}, body: null };
}

/** POST /admin/oauth/clients/{client_id}/regenerate_secret: the old secret ends at once. */
export async function postClientSecret(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const client = await demandPathClient(context, call);
  if (client.client_type !== 'confidential') throw oauthServerFailure.publicHasNoSecret();
  const secret = context.random.bytes(32).toString('base64url');
  const patch = { client_secret_hash: hashClientSecret(secret) };
  return jsonReply(200, clientJson(await updateClient(context.db, client.id, patch, context.now()), secret));
}
