import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose';
import { afterAll, describe, expect, it } from 'vitest';
import { secretSigningKey, signToken } from '../../../src/identity/sign.ts';
import { startAuth } from '../../support/auth.ts';
import { writeProject } from '../../support/project.ts';

/*
 * A project that brings its own keys, as one does that moves from elsewhere.
 */
const secret = 'a secret of the project, long enough';
const own = (role: string) => signToken({ role, iss: 'own' }, secretSigningKey(secret));
const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const projectDir = await mkdtemp(join(tmpdir(), 'ownbase-project-'));
afterAll(() => rm(projectDir, { recursive: true, force: true }));
await writeProject(projectDir, {
  'supabase/config.toml': `
    [auth]
    external_url = "https://auth.example.com/auth/v1"
    jwt_secret = "${secret}"
    signing_keys_path = "./keys/signing.json"
    publishable_key = "sb_publishable_own"
    secret_key = "sb_secret_own"
    anon_key = "${await own('anon')}"
    service_role_key = "${await own('service_role')}"
    [auth.email]
    enable_confirmations = true
  `,
  'supabase/keys/signing.json': JSON.stringify([
    { ...(await exportJWK(privateKey)), kid: 'of-file', alg: 'ES256', key_ops: ['sign', 'verify'] },
  ]),
});
const auth = await startAuth({ projectDir });

const list = (headers: Record<string, string>) => auth.call('GET', '/admin/users', { headers });

describe('keys of config.toml', () => {
  it('sign tokens, which name the public URL as their issuer, and mails lead there', async () => {
    const body = { email: 'own@example.com', password: 'correct horse' };
    await auth.call('POST', '/signup', { body });
    const { link } = await auth.nextMail(body.email);
    expect(link.origin + link.pathname).toBe('https://auth.example.com/auth/v1/verify');
    await auth.call('GET', `/verify${link.search}`);
    const { access_token } = (await auth.call('POST', '/token?grant_type=password', { body })).json;
    expect(decodeProtectedHeader(access_token)).toMatchObject({ alg: 'ES256', kid: 'of-file' });
    expect(decodeJwt(access_token).iss).toBe('https://auth.example.com/auth/v1');
  });

  it.each([
    ['the secret key', { apikey: 'sb_secret_own' }, 200],
    ['the publishable key', { apikey: 'sb_publishable_own' }, 403],
    ['the secret key of other projects', { apikey: 'sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz' }, 401],
  ])('open to %s what is its, and nothing else', async (_, headers, status) => {
    expect((await list(headers)).status).toBe(status);
  });

  it('open to the service’s token, and to any token of the secret, what is theirs', async () => {
    expect(auth.serviceKey).toBe(await own('service_role'));
    expect((await list({ authorization: `Bearer ${auth.serviceKey}` })).status).toBe(200);
    expect((await list({ authorization: `Bearer ${auth.anonKey}` })).json.error_code).toBe('not_admin');
    const foreign = await signToken({ role: 'service_role' }, secretSigningKey('x'.repeat(32)));
    expect((await list({ authorization: `Bearer ${foreign}` })).json.error_code).toBe('bad_jwt');
  });
});
