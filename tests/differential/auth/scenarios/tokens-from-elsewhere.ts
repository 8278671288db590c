import { createHash } from 'node:crypto';
import { ethereumWallet, solanaWallet, type Wallet, walletMessage } from '../../../support/wallets.ts';
import { type IdTokenClaims, signIdToken } from '../identity-provider.ts';
import type { Answer, Target } from '../target.ts';
import { member, type Scenario } from './scenario.ts';

/** Both sides get the same wallets, whose addresses are compared. */
const wallets = [solanaWallet(), ethereumWallet()] as const;

async function enter(
  target: Target,
  step: string,
  claims: IdTokenClaims,
  more: Readonly<Record<string, unknown>> = {},
  token?: string,
): Promise<Answer> {
  const id_token = await signIdToken(`${target.stage.url}/keycloak`, claims);
  const body = { provider: 'keycloak', id_token, ...more };
  return target.ask(step, 'POST', '/token?grant_type=id_token', { body, token });
}

const one = {
  sub: 'k1',
  email: 'One@example.com',
  email_verified: true,
  name: 'One',
  picture: 'https://a/1.png',
};

/** Sign-ins by what apps bring along: ID tokens of an issuer, signatures of wallets. */
export const tokensFromElsewhere: readonly Scenario[] = [
  {
    name: 'sign-in by ID tokens',
    profiles: ['confirmations', 'autoconfirm', 'hooks'],
    async run(target) {
      await enter(target, 'a new user', one);
      await enter(target, 'the same again', one);
      await enter(target, 'the same with another name', { ...one, name: 'Uno', locale: 'it' });
      await enter(target, 'the same with another address', { ...one, email: 'uno@example.com' });
      await enter(target, 'an unverified address', { sub: 'k2', email: 'two@example.com' });
      await enter(target, 'an unverified address again', { sub: 'k2', email: 'two@example.com' });
      await enter(target, 'no address', { sub: 'k3', name: 'Three' });
      const { token } = await member(target, 'four@example.com');
      await enter(target, 'the address of a member', {
        sub: 'k4',
        email: 'four@example.com',
        email_verified: true,
      });
      await enter(target, 'unverified, of a member', { sub: 'k5', email: 'four@example.com' });
      await enter(
        target,
        'linked',
        { sub: 'k6', email: 'six@example.com', email_verified: true },
        { link_identity: true },
        token,
      );
      await enter(
        target,
        'linked again',
        { sub: 'k6', email: 'six@example.com' },
        { link_identity: true },
        token,
      );
      await enter(target, 'linked to another', one, { link_identity: true }, token);
      await target.ask('the member', 'GET', '/user', { token });
    },
  },
  {
    name: 'ID tokens that will not do',
    profiles: ['confirmations'],
    async run(target) {
      const nonce = 'a nonce';
      const hashed = createHash('sha256').update(nonce).digest('hex');
      const past = Math.floor(Date.now() / 1000) - 100;
      await enter(target, 'for somebody else', { ...one, aud: 'other' });
      await enter(target, 'for several', { ...one, aud: ['other', 'client'] });
      await enter(target, 'expired', { ...one, exp: past });
      await enter(target, 'of another issuer', { ...one, iss: 'https://other.example.com' });
      await enter(target, 'without a sub', { ...one, sub: undefined });
      await enter(target, 'with a nonce', { ...one, nonce: hashed }, { nonce });
      await enter(target, 'with another nonce', { ...one, nonce: hashed }, { nonce: 'x' });
      await enter(target, 'with a nonce that nobody knows', { ...one, nonce: hashed });
      await enter(target, 'without the nonce', one, { nonce });
      await enter(target, 'with a wrong access token', { ...one, at_hash: 'x' }, { access_token: 'y' });
      await enter(target, 'with an access token and no hash', one, { access_token: 'y' });
      await enter(target, 'by its issuer', one, {
        provider: '',
        client_id: 'client',
        issuer: `${target.stage.url}/keycloak`,
      });
      await enter(target, 'of an issuer that nobody allows', one, {
        provider: '',
        client_id: 'client',
        issuer: `${target.stage.url}/other`,
      });
      await enter(target, 'of a provider that is off', one, { provider: 'google' });
    },
  },
  {
    name: 'sign-in by wallets',
    profiles: ['confirmations', 'autoconfirm', 'hooks'],
    async run(target) {
      const sign = (wallet: Wallet, step: string, message: string) =>
        target.ask(`${wallet.name}: ${step}`, 'POST', '/token?grant_type=web3', {
          body: { chain: wallet.chain, message, signature: wallet.sign(message) },
        });
      for (const wallet of wallets) {
        const good = () => walletMessage(wallet);
        const session = (await sign(wallet, 'a new user', good())).json;
        await sign(wallet, 'again', good());
        await target.ask(`${wallet.name}: user`, 'GET', '/user', { token: session?.access_token });
        await sign(wallet, 'for another app', walletMessage(wallet, { domain: 'evil.example.net' }));
        await sign(wallet, 'of another page', walletMessage(wallet, { uri: 'https://evil.example.net/' }));
        await sign(wallet, 'too old', walletMessage(wallet, { issuedAt: Date.now() - 3_600_000 }));
        await sign(wallet, 'of tomorrow', walletMessage(wallet, { issuedAt: Date.now() + 86_400_000 }));
        const past = new Date(Date.now() - 60_000).toISOString();
        const future = new Date(Date.now() + 60_000).toISOString();
        await sign(wallet, 'expired', walletMessage(wallet, { more: [`Expiration Time: ${past}`] }));
        await sign(
          wallet,
          'good for a while',
          walletMessage(wallet, { more: [`Expiration Time: ${future}`] }),
        );
        await sign(wallet, 'not yet good', walletMessage(wallet, { more: [`Not Before: ${future}`] }));
        await sign(
          wallet,
          'of another signer',
          good()
            .replace('I accept', 'I refuse')
            .replace(/^URI.*$/m, ''),
        );
      }
    },
  },
];
