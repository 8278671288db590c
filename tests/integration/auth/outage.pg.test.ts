import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../../src/pg/connect.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { type AuthCall, startAuth } from '../../support/auth.ts';
import { solanaWallet, walletMessage } from '../../support/wallets.ts';

const google = 'https://accounts.google.com';
const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
const documents: typeof fetch = (input) =>
  Promise.resolve(
    Response.json(
      String(input).endsWith('/jwks') ? { keys: [jwk] } : { issuer: google, jwks_uri: `${google}/jwks` },
    ),
  );
const auth = await startAuth({
  env: {
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_EXTERNAL_GOOGLE_ENABLED: 'true',
    GOTRUE_EXTERNAL_GOOGLE_CLIENT_ID: 'web',
    GOTRUE_EXTERNAL_GOOGLE_SECRET: 'secret',
    GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED: 'true',
    GOTRUE_SITE_URL: 'https://app.example.com',
  },
  fetch: documents,
});

const email = 'steady@example.com';
const password = 'correct horse';
const verifier = 'v'.repeat(64);
const post = (path: string, body: object, more: AuthCall = {}) => auth.call('POST', path, { body, ...more });

/** Everything that a client may ask for with credentials that are good. */
async function goodRequests() {
  await post('/admin/users', { email, password, email_confirm: true }, { token: auth.serviceKey });
  const session = (await post('/token?grant_type=password', { email, password })).json;
  const code_challenge = createHash('sha256').update(verifier).digest('base64url');
  await post('/recover', { email, code_challenge, code_challenge_method: 's256' });
  const { link } = await auth.nextMail(email);
  const { headers } = await auth.call('GET', `/verify${link.search}`);
  const auth_code = new URL(headers.get('location') ?? '').searchParams.get('code');
  const id_token = await new SignJWT({ sub: 'u1', email, email_verified: true })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .setIssuer(google)
    .setAudience('web')
    .setExpirationTime('1h')
    .sign(privateKey);
  const wallet = solanaWallet();
  const message = walletMessage(wallet);
  const signed = { chain: wallet.chain, message, signature: wallet.sign(message) };
  const token: string = session.access_token;
  return {
    'a sign-in by password': () => post('/token?grant_type=password', { email, password }),
    'a sign-in by ID token': () => post('/token?grant_type=id_token', { provider: 'google', id_token }),
    'a sign-in by wallet': () => post('/token?grant_type=web3', signed),
    'an exchange of a code': () => post('/token?grant_type=pkce', { auth_code, code_verifier: verifier }),
    'a question who it is': () => auth.call('GET', '/user', { token }),
    'a change of the user': () => auth.call('PUT', '/user', { token, body: { data: { a: 1 } } }),
    'a refresh': () => post('/token?grant_type=refresh_token', { refresh_token: session.refresh_token }),
    'a sign-out': () => auth.call('POST', '/logout?scope=local', { token }),
  };
}

let requests: Awaited<ReturnType<typeof goodRequests>>;
const { name: database, url } = auth.database;
const elsewhere = new URL(url('supabase_admin'));
elsewhere.pathname = '/postgres';
const owner = await connect(elsewhere.href);
const accept = (isOpen: boolean): Promise<unknown> =>
  owner.query(
    sql`alter database ${sql.ident(database)} with allow_connections ${isOpen ? sql`true` : sql`false`}`,
  );

beforeAll(async () => {
  requests = await goodRequests();
  // The database takes no connections, and closes those of the service, as one does that is started again.
  await accept(false);
  await owner.query(sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = ${database} and usename = 'supabase_auth_admin'`);
});
afterAll(async () => {
  await accept(true);
  await owner.end();
});

const names = [
  'a sign-in by password',
  'a sign-in by ID token',
  'a sign-in by wallet',
  'an exchange of a code',
  'a question who it is',
  'a change of the user',
  'a refresh',
  'a sign-out',
] as const;

// A client ends its session on most errors of its own, which trouble that passes by itself must not look like.
describe('while the database is away', () => {
  it.each(names)('%s fails as a fault of the server that tells nothing', async (name) => {
    const { status, text } = await requests[name]();
    expect(status).toBeGreaterThanOrEqual(500);
    expect(text).not.toMatch(/postgres|connection|database "/i);
  });

  it('the service is healthy all the same', async () => {
    expect((await auth.call('GET', '/health')).status).toBe(200);
  });
});

describe('once it is back', () => {
  beforeAll(() => accept(true));

  it.each(names)('%s works with what it had before', async (name) => {
    const { status } = await requests[name]();
    expect([200, 204]).toContain(status);
  });
});
