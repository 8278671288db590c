import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';
import {
  ethereumWallet,
  solanaWallet,
  type Wallet,
  type Words,
  walletMessage,
} from '../../support/wallets.ts';

const auth = await startAuth({
  env: {
    GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED: 'true',
    GOTRUE_EXTERNAL_WEB3_ETHEREUM_ENABLED: 'true',
    GOTRUE_SITE_URL: 'https://app.example.com',
    GOTRUE_URI_ALLOW_LIST: 'https://other.example.com/**,http://app.example.com/**',
  },
});
const solanaOnly = await startAuth({ env: { GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED: 'true' } });
const local = await startAuth({
  env: { GOTRUE_EXTERNAL_WEB3_ETHEREUM_ENABLED: 'true', GOTRUE_SITE_URL: 'http://localhost:3000' },
});
const off = await startAuth();

const message = (wallet: Wallet, words: Words = {}): string =>
  walletMessage(wallet, { issuedAt: auth.clock.now(), ...words });
const enter = (wallet: Wallet, text: string, signature = wallet.sign(text), instance = auth) =>
  instance.call('POST', '/token?grant_type=web3', {
    body: { chain: wallet.chain, message: text, signature },
  });

describe.each([
  ['Solana', solanaWallet],
  ['Ethereum', ethereumWallet],
])('a wallet of %s', (name, make) => {
  it('signs its owner in, who is the same the next time', async () => {
    const wallet = make();
    const first = await enter(wallet, message(wallet));
    expect([first.status, first.json.user]).toMatchObject([
      200,
      {
        email: '',
        app_metadata: { provider: 'web3', providers: ['web3'] },
        user_metadata: {
          sub: `web3:${wallet.chain}:${wallet.address}`,
          custom_claims: {
            address: wallet.address,
            chain: wallet.chain,
            network: wallet.network,
            domain: 'app.example.com',
            statement: 'I accept the terms',
          },
        },
        identities: [{ provider: 'web3', id: `web3:${wallet.chain}:${wallet.address}` }],
      },
    ]);
    expect(decodeJwt(first.json.access_token)).toMatchObject({ aal: 'aal1', amr: [{ method: 'web3' }] });
    const second = await enter(wallet, message(wallet));
    expect(second.json.user.id).toBe(first.json.user.id);
  });

  it('leaves a trace of the sign-in', async () => {
    const wallet = make();
    const { json } = await enter(wallet, message(wallet));
    const rows = await auth.database.owner.query(sql`
      select payload -> 'traits' as traits from auth.audit_log_entries
      where payload ->> 'action' = 'login' and payload ->> 'actor_id' = ${json.user.id}
        and payload -> 'traits' ->> 'chain' is not null`);
    expect(rows).toEqual([
      {
        traits: {
          provider: 'web3',
          chain: wallet.chain,
          network: wallet.network,
          address: wallet.address,
          domain: 'app.example.com',
          // As Go writes a URL that it has taken apart.
          uri: {
            Scheme: 'https',
            Opaque: '',
            User: null,
            Host: 'app.example.com',
            Path: '/',
            Fragment: '',
            RawQuery: '',
            RawPath: '',
            RawFragment: '',
            ForceQuery: false,
            OmitHost: false,
          },
        },
      },
    ]);
  });

  it('does not sign in by a message of another wallet', async () => {
    const [wallet, victim] = [make(), make()];
    const text = message(victim);
    const { status, json } = await enter(victim, text, wallet.sign(text));
    expect([status, json]).toEqual([
      400,
      { error: 'invalid_grant', error_description: 'Signature does not match address in message' },
    ]);
  });

  it('does not sign in by a message that was changed after it was signed', async () => {
    const wallet = make();
    const text = message(wallet);
    const { json } = await enter(wallet, text.replace('12345678', '12345679'), wallet.sign(text));
    expect(json.error_description).toBe('Signature does not match address in message');
  });

  const minute = 60_000;
  it.each<[string, Words, string]>([
    [
      'for another app',
      { domain: 'evil.example.net' },
      'message is using URI which is not allowed on this server, message was signed for another app',
    ],
    [
      'whose domain is not the one of its URI',
      { domain: 'evil.example.net', uri: 'https://app.example.com/' },
      'message is using a Domain that does not match the one in URI which is not allowed on this server',
    ],
    ['without TLS', { uri: 'http://app.example.com/' }, 'message is using URI which does not use HTTPS'],
    [
      'that is expired',
      {
        issuedAt: Date.now() - 2 * minute,
        more: [`Expiration Time: ${new Date(Date.now() - minute).toISOString()}`],
      },
      'message is expired',
    ],
    [
      'that is not valid yet',
      { more: [`Not Before: ${new Date(Date.now() + minute).toISOString()}`] },
      'message becomes valid in the future',
    ],
  ])('is refused with a message %s', async (_, words, description) => {
    const wallet = make();
    const { status, json } = await enter(wallet, message(wallet, words));
    expect([status, json.error, json.error_description]).toEqual([
      400,
      'invalid_grant',
      `Signed ${name} ${description}`,
    ]);
  });

  it.each([
    ['too long ago', -11 * minute],
    ['too far in the future', 11 * minute],
  ])('is refused with a message that was issued %s', async (when, ms) => {
    const wallet = make();
    const { json } = await enter(wallet, message(wallet, { issuedAt: auth.clock.now() + ms }));
    expect(json.error_description).toBe(`${name} message was issued ${when}`);
  });

  it('is refused with what is no message, or no signature', async () => {
    const wallet = make();
    const said = async (text: string, signature?: string) => (await enter(wallet, text, signature)).json.msg;
    expect(await said('hello', wallet.sign('hello'))).toBe('message is too short');
    expect(await said('x'.repeat(20_481), wallet.sign('x'))).toBe('message must not exceed 20KB');
    expect(await said(message(wallet), 'AAAA')).toMatch(/^signature must be (64|65) bytes/);
    const broken = message(wallet).replace('Version: 1', 'Version: 2');
    expect(await said(broken)).toMatch(/^siw[es]: Version value is not supported, expected 1 got "2"$/);
  });
});

it('an app on the developer’s machine may have any port and no TLS', async () => {
  const wallet = ethereumWallet();
  const text = message(wallet, { domain: 'localhost:3000', uri: 'http://localhost:3000/' });
  expect((await enter(wallet, text, wallet.sign(text), local)).status).toBe(200);
});
it('wallets are off, each chain for itself, unless they are switched on', async () => {
  const wallet = ethereumWallet();
  const text = message(wallet);
  const none = await enter(wallet, text, wallet.sign(text), off);
  expect([none.status, none.json.msg]).toEqual([422, 'Web3 provider is disabled']);
  const other = await enter(wallet, text, wallet.sign(text), solanaOnly);
  expect([other.status, other.json.msg]).toEqual([422, 'Ethereum Web3 provider is disabled']);
  const unknown = await auth.call('POST', '/token?grant_type=web3', {
    body: { chain: 'bitcoin', message: text, signature: 'x' },
  });
  expect([unknown.status, unknown.json.error_code]).toEqual([400, 'web3_unsupported_chain']);
});
