import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { basicProof, type OAuthClient, oauthRedirectUri, startOAuth } from '../../support/oauth-server.ts';

const { auth, signUp, register, exchange } = await startOAuth();
const closed = await startOAuth({});

describe('registration', () => {
  const tryRegister = (body: object) =>
    auth.call('POST', '/oauth/clients/register', { body: { redirect_uris: [oauthRedirectUri], ...body } });

  it.each([
    [{ redirect_uris: [] }, '400: redirect_uris is required'],
    [
      { redirect_uris: ['http://a.com'] },
      "400: invalid redirect_uri 'http://a.com': HTTP scheme only allowed for localhost",
    ],
    [
      { redirect_uris: ['javascript:x'] },
      "400: invalid redirect_uri 'javascript:x': must have scheme and host",
    ],
    [
      { redirect_uris: ['javascript://x/%0aalert(1)'] },
      "400: invalid redirect_uri 'javascript://x/%0aalert(1)': scheme 'javascript' is not allowed for security reasons",
    ],
    [
      { grant_types: ['password'] },
      "400: grant_types must only contain 'authorization_code' and/or 'refresh_token'",
    ],
    [{ client_type: 'other' }, "400: client_type must be 'public' or 'confidential'"],
    [
      { token_endpoint_auth_method: 'jwt' },
      '400: token_endpoint_auth_method must be one of: [none client_secret_basic client_secret_post]',
    ],
    [
      { client_type: 'public', token_endpoint_auth_method: 'client_secret_basic' },
      "400: client_type 'public' is inconsistent with token_endpoint_auth_method 'client_secret_basic' (expected client_type 'confidential')",
    ],
  ])('of %j is refused', async (body, msg) => {
    const answer = await tryRegister(body);
    expect([answer.status, answer.json.error_code, answer.json.msg]).toEqual([400, 'validation_failed', msg]);
  });

  it('gives a public client no secret', async () => {
    const answer = await tryRegister({ token_endpoint_auth_method: 'none' });
    expect(answer.json).toMatchObject({ client_type: 'public', registration_type: 'dynamic' });
    expect(answer.json).not.toHaveProperty('client_secret');
  });

  it('by clients themselves is off unless it is switched on', async () => {
    const { status, json } = await closed.auth.call('POST', '/oauth/clients/register', {
      body: { redirect_uris: [oauthRedirectUri] },
    });
    expect([status, json.error_code, json.msg]).toEqual([
      403,
      'oauth_dynamic_client_registration_disabled',
      'Dynamic client registration is not enabled',
    ]);
  });
});

describe('a client in the hands of an admin', () => {
  const admin = (method: string, path: string, body?: object, token = auth.serviceKey) =>
    auth.call(method, `/admin/oauth/clients${path}`, { token, ...(body === undefined ? {} : { body }) });
  const prove = async (client: OAuthClient) =>
    (await exchange(basicProof(client), { code: 'none' })).json.error_code ?? 'known';

  it('is shown without its secret, listed and changed', async () => {
    const client = await register({ client_uri: 'https://client.example.com' });
    const shown = (await admin('GET', `/${client.client_id}`)).json;
    expect(shown).toEqual({
      client_id: client.client_id,
      client_type: 'confidential',
      client_name: 'A client',
      client_uri: 'https://client.example.com',
      redirect_uris: [oauthRedirectUri],
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      registration_type: 'manual',
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
    });
    const changed = await admin('PUT', `/${client.client_id}`, { client_name: 'Renamed' });
    expect([changed.status, changed.json]).toMatchObject([
      200,
      { client_name: 'Renamed', redirect_uris: [oauthRedirectUri] },
    ]);
    expect((await admin('PUT', `/${client.client_id}`, {})).json.msg).toBe('No fields provided for update');
    const { clients } = (await admin('GET', '')).json;
    expect(clients.map(({ client_name }: { client_name: string }) => client_name)).toContain('Renamed');
    expect(JSON.stringify(clients)).not.toContain('client_secret"');
  });

  it('gets a new secret, and the old one is worth nothing', async () => {
    const client = await register();
    const { status, json } = await admin('POST', `/${client.client_id}/regenerate_secret`);
    expect([status, json.client_secret === client.client_secret]).toEqual([200, false]);
    expect(await prove(client)).toBe('invalid_credentials');
    expect(await prove({ ...client, client_secret: json.client_secret })).toBe('known');
    const [row] = await auth.database.owner.query<{ hash: string }>(sql`
      select client_secret_hash as hash from auth.oauth_clients where id = ${client.client_id}::uuid`);
    expect(row?.hash).toBe(createHash('sha256').update(json.client_secret).digest('base64url'));
  });

  it('that is public has no secret to renew', async () => {
    const client = await register({ token_endpoint_auth_method: 'none' });
    const { status, json } = await admin('POST', `/${client.client_id}/regenerate_secret`);
    expect([status, json.msg]).toEqual([400, 'Cannot regenerate secret for public client']);
  });

  it('is removed, and its row stays', async () => {
    const client = await register();
    const { status, text } = await admin('DELETE', `/${client.client_id}`);
    expect([status, text]).toEqual([204, '']);
    const gone = await admin('GET', `/${client.client_id}`);
    expect([gone.status, gone.json.error_code]).toEqual([404, 'oauth_client_not_found']);
    expect(await prove(client)).toBe('invalid_credentials');
    const rows = await auth.database.owner.query(sql`
      select deleted_at is not null as is_deleted from auth.oauth_clients where id = ${client.client_id}::uuid`);
    expect(rows).toEqual([{ is_deleted: true }]);
  });

  it('is nothing to users', async () => {
    const user = await signUp();
    const { status, json } = await admin('GET', '', undefined, user.token);
    expect([status, json.error_code]).toEqual([403, 'not_admin']);
  });
});
