import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { authorizePath, oauthPassword, oauthRedirectUri, startOAuth } from '../../support/oauth-server.ts';

const { auth, signUp, register, open, codeFor } = await startOAuth();

describe('a request of a client', () => {
  it.each([
    ['without a client', {}, '', 'validation_failed', 'client_id is required'],
    [
      'of a client whose id is none',
      { client_id: 'x' },
      '',
      'oauth_client_not_found',
      'invalid client_id format',
    ],
    [
      'of an unknown client',
      { client_id: '00000000-0000-4000-8000-000000000000' },
      '',
      'oauth_client_not_found',
      'invalid client_id',
    ],
    ['with a foreign redirect', {}, 'https://evil.example.com', 'validation_failed', 'invalid redirect_uri'],
  ])('%s is refused without a redirect', async (_name, override, redirect, code, msg) => {
    const client = await register();
    const query = new URLSearchParams(authorizePath(client.client_id).split('?')[1]);
    for (const [name, value] of Object.entries(override)) query.set(name, value);
    if (code === 'validation_failed' && redirect === '') query.delete('client_id');
    if (redirect !== '') query.set('redirect_uri', redirect);
    const answer = await auth.call('GET', `/oauth/authorize?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ error_code: code, msg });
  });

  it.each([
    ['another response', { response_type: 'token' }, 'only response_type=code is supported'],
    ['an unknown scope', { scope: 'openid admin' }, 'unsupported scope: admin'],
    [
      'no challenge',
      { code_challenge: '' },
      'PKCE flow requires both code_challenge and code_challenge_method',
    ],
    [
      'an unknown method',
      { code_challenge_method: 'S512' },
      "code_challenge_method must be 'S256' or 'plain'",
    ],
    ['a short challenge', { code_challenge: 'x' }, 'code_challenge must be between 43 and 128 characters'],
    ['a relative resource', { resource: '/api' }, 'resource must be an absolute URI'],
    [
      'a resource with a fragment',
      { resource: 'https://a/#x' },
      'resource must not include a fragment component',
    ],
    [
      'a resource with a query',
      { resource: 'https://a/?x=1' },
      'resource must not include a query component',
    ],
  ])('with %s goes back to the client', async (_name, more, description) => {
    const client = await register();
    const answer = await auth.call('GET', authorizePath(client.client_id, more));
    expect(answer.status).toBe(302);
    const back = new URL(answer.headers.get('location') ?? '');
    expect(back.origin + back.pathname).toBe(oauthRedirectUri);
    expect(Object.fromEntries(back.searchParams)).toEqual({
      error: 'invalid_request',
      error_description: description,
      state: 's1',
    });
  });

  it('whose state does not fit goes back as an error of the server', async () => {
    const client = await register();
    const answer = await auth.call('GET', authorizePath(client.client_id, { state: 'x'.repeat(4097) }));
    const back = new URL(answer.headers.get('location') ?? '');
    expect(back.searchParams.get('error')).toBe('server_error');
  });

  it('belongs to the user who opened it first', async () => {
    const client = await register();
    const [one, two] = [await signUp(), await signUp()];
    const id = await open(client.client_id);
    await auth.call('GET', `/oauth/authorizations/${id}`, { token: one.token });
    const stranger = await auth.call('GET', `/oauth/authorizations/${id}`, { token: two.token });
    expect([stranger.status, stranger.json.error_code]).toEqual([404, 'oauth_authorization_not_found']);
    const answer = await auth.call('POST', `/oauth/authorizations/${id}/consent`, {
      token: two.token,
      body: { action: 'approve' },
    });
    expect([answer.status, answer.json.error_code]).toEqual([404, 'oauth_authorization_not_found']);
  });

  it('cannot be answered before it was opened, twice, or with another word', async () => {
    const client = await register();
    const user = await signUp();
    const id = await open(client.client_id);
    const answer = (body: unknown) =>
      auth.call('POST', `/oauth/authorizations/${id}/consent`, { token: user.token, body });
    expect((await answer({ action: 'approve' })).status).toBe(404);
    await auth.call('GET', `/oauth/authorizations/${id}`, { token: user.token });
    expect((await answer({ action: 'maybe' })).json.msg).toBe("action must be 'approve' or 'deny'");
    expect((await answer('{')).json).toMatchObject({ error_code: 'bad_json', msg: 'invalid JSON body' });
    const denied = new URL((await answer({ action: 'deny' })).json.redirect_url);
    expect(Object.fromEntries(denied.searchParams)).toEqual({
      error: 'access_denied',
      error_description: 'User denied the request',
      state: 's1',
    });
    expect((await answer({ action: 'approve' })).json.msg).toBe('authorization request is no longer pending');
  });

  it('of a page elsewhere is refused by its origin', async () => {
    const client = await register();
    const user = await signUp();
    const id = await open(client.client_id);
    const answer = await auth.call('GET', `/oauth/authorizations/${id}`, {
      token: user.token,
      headers: { origin: 'https://evil.example.com' },
    });
    expect([answer.status, answer.json.msg]).toEqual([400, 'unauthorized request origin']);
  });

  it('is approved at once where an earlier consent covers its scopes', async () => {
    const client = await register();
    const user = await signUp();
    await codeFor(client.client_id, user.token);
    const covered = await open(client.client_id, { scope: 'email' });
    const shown = await auth.call('GET', `/oauth/authorizations/${covered}`, { token: user.token });
    expect(new URL(shown.json.redirect_url).searchParams.get('code')).toMatch(/^[0-9a-f-]{36}$/);
    const wider = await open(client.client_id, { scope: 'email phone' });
    const asked = await auth.call('GET', `/oauth/authorizations/${wider}`, { token: user.token });
    expect(asked.json.scope).toBe('email phone');
  });

  it('expires, and is marked so', async () => {
    const client = await register();
    const user = await signUp();
    const id = await open(client.client_id);
    auth.clock.advance(601);
    const fresh = await auth.call('POST', '/token?grant_type=password', {
      body: { email: user.email, password: oauthPassword },
    });
    const answer = await auth.call('GET', `/oauth/authorizations/${id}`, { token: fresh.json.access_token });
    expect(answer.status).toBe(404);
    const rows = await auth.database.owner.query(sql`
      select status from auth.oauth_authorizations where authorization_id = ${id}`);
    expect(rows).toEqual([{ status: 'expired' }]);
  });
});
