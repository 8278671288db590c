import { totpCode, totpStep } from '../../../../src/auth/mfa/totp.ts';
import { createAuthenticator } from '../../../support/authenticator.ts';
import type { Target } from '../target.ts';
import { member, noId, type Scenario, signIn } from './scenario.ts';

const origin = 'https://app.example.com';
const codeOf = (secret: string): string => totpCode(secret, totpStep(Date.now()));

const asUser = (target: Target, token: string) => ({
  post: (step: string, path: string, body: unknown) => target.ask(step, 'POST', path, { token, body }),
  get: (step: string, path: string) => target.ask(step, 'GET', path, { token }),
  delete: (step: string, path: string) => target.ask(step, 'DELETE', path, { token }),
});

/** Enrols a factor for codes of an app, and verifies it when the settings let it. */
async function secure(target: Target, token: string, friendly_name: string) {
  const user = asUser(target, token);
  const factor = (
    await user.post(`enrol ${friendly_name}`, '/factors', { factor_type: 'totp', friendly_name })
  ).json;
  const asked = (await user.post(`challenge ${friendly_name}`, `/factors/${factor?.id}/challenge`, {})).json;
  const code = codeOf(factor?.totp?.secret ?? 'AAAA');
  const body = { challenge_id: asked?.id, code };
  const session = (
    await target.ask(`verify ${friendly_name}`, 'POST', `/factors/${factor?.id}/verify`, { token, body })
  ).json;
  return { factor, asked, session, code };
}

/** Second factors and passkeys. */
export const factors: readonly Scenario[] = [
  {
    name: 'codes of an app',
    profiles: ['confirmations', 'closed', 'strict', 'hooks'],
    async run(target) {
      const { token, id } = await member(target, 'one@example.com');
      const other = await signIn(target, 'one@example.com');
      const { factor, asked, session, code } = await secure(target, token, 'app');
      const raised = asUser(target, session?.access_token ?? token);
      const fallen = asUser(target, other?.access_token);
      await raised.get('user', '/user');
      await fallen.get('user elsewhere', '/user');
      await target.ask('verified challenge again', 'POST', `/factors/${factor?.id}/verify`, {
        token: session?.access_token ?? token,
        body: { challenge_id: asked?.id, code },
      });
      const low = await signIn(target, 'one@example.com');
      const lower = asUser(target, low?.access_token);
      await lower.post('enrol at aal1', '/factors', { factor_type: 'totp', friendly_name: 'second' });
      await target.ask('password at aal1', 'PUT', '/user', {
        token: low?.access_token,
        body: { password: 'Another-horse-1' },
      });
      await lower.delete('unenrol at aal1', `/factors/${factor?.id}`);
      await raised.post('same name', '/factors', { factor_type: 'totp', friendly_name: 'app' });
      await raised.post('no name', '/factors', { factor_type: 'totp' });
      await raised.post('no name again', '/factors', { factor_type: 'totp' });
      await raised.post('issuer', '/factors', {
        factor_type: 'totp',
        friendly_name: 'i',
        issuer: 'My & App',
      });
      await raised.post('fourth', '/factors', { factor_type: 'totp', friendly_name: 'fourth' });
      await raised.post('type', '/factors', { factor_type: 'nonsense' });
      await raised.post('no challenge', `/factors/${factor?.id}/verify`, { code: '123456' });
      await raised.post('bad challenge', `/factors/${factor?.id}/verify`, {
        challenge_id: 'x',
        code: '123456',
      });
      await raised.post('unknown challenge', `/factors/${factor?.id}/verify`, {
        challenge_id: noId,
        code: '123456',
      });
      const next = (await raised.post('challenge', `/factors/${factor?.id}/challenge`, { factorId: 'x' }))
        .json;
      await raised.post('wrong', `/factors/${factor?.id}/verify`, { challenge_id: next?.id, code: '000000' });
      await raised.post('letters', `/factors/${factor?.id}/verify`, {
        challenge_id: next?.id,
        code: 'abcdef',
      });
      await raised.post('empty', `/factors/${factor?.id}/verify`, { challenge_id: next?.id, code: '' });
      await target.exec("update auth.mfa_challenges set created_at = now() - interval '1 hour'");
      await raised.post('late', `/factors/${factor?.id}/verify`, { challenge_id: next?.id, code });
      await target.exec("update auth.mfa_challenges set created_at = now(), ip_address = '10.0.0.1'");
      await raised.post('elsewhere', `/factors/${factor?.id}/verify`, { challenge_id: next?.id, code });
      const stranger = await member(target, 'two@example.com');
      const foreign = asUser(target, stranger.token);
      await foreign.post('foreign challenge', `/factors/${factor?.id}/challenge`, {});
      await foreign.delete('foreign unenrol', `/factors/${factor?.id}`);
      const admin = (step: string, method: string, path: string, body?: unknown) =>
        target.ask(step, method, `/admin/users/${id}/factors${path}`, {
          token: target.serviceKey,
          ...(body === undefined ? {} : { body }),
        });
      await admin('list', 'GET', '');
      await admin('rename', 'PUT', `/${factor?.id}`, { friendly_name: 'renamed' });
      await admin('phone of an app', 'PUT', `/${factor?.id}`, { phone: '15550001' });
      await admin('nothing', 'PUT', `/${factor?.id}`, {});
      await admin('unknown', 'PUT', `/${noId}`, { friendly_name: 'x' });
      await admin('no uuid', 'PUT', '/x', { friendly_name: 'x' });
      await raised.delete('unenrol', `/factors/${factor?.id}`);
      await raised.get('user at last', '/user');
      await raised.delete('unenrol again', `/factors/${factor?.id}`);
      await target.ask('refresh after', 'POST', '/token?grant_type=refresh_token', {
        body: { refresh_token: session?.refresh_token },
      });
      await admin('delete unknown', 'DELETE', `/${noId}`);
    },
  },
  {
    name: 'a factor that an admin takes away',
    profiles: ['confirmations'],
    async run(target) {
      const { token, id } = await member(target, 'one@example.com');
      const { factor, session } = await secure(target, token, 'app');
      const path = `/admin/users/${id}/factors/${factor?.id}`;
      await target.ask('delete', 'DELETE', path, { token: target.serviceKey });
      await target.ask('delete again', 'DELETE', path, { token: target.serviceKey });
      await target.ask('user', 'GET', '/user', { token: session?.access_token });
    },
  },
  {
    name: 'codes by phone',
    profiles: ['confirmations', 'closed', 'strict', 'hooks'],
    async run(target) {
      const { token } = await member(target, 'one@example.com');
      const user = asUser(target, token);
      const phone = (step: string, body: unknown) =>
        user.post(step, '/factors', { factor_type: 'phone', ...(body as object) });
      await phone('no number', { friendly_name: 'a' });
      await phone('bad number', { friendly_name: 'a', phone: 'x' });
      const factor = (await phone('number', { friendly_name: 'a', phone: '+1 555 0001' })).json;
      await phone('number again', { friendly_name: 'b', phone: '15550001' });
      await phone('another number', { friendly_name: 'c', phone: '15550002' });
      const asked = (await user.post('challenge', `/factors/${factor?.id}/challenge`, { channel: 'sms' }))
        .json;
      await user.post('challenge again', `/factors/${factor?.id}/challenge`, {});
      await user.post('bad channel', `/factors/${factor?.id}/challenge`, { channel: 'pigeon' });
      await user.post('wrong', `/factors/${factor?.id}/verify`, { challenge_id: asked?.id, code: '000000' });
      await user.post('right', `/factors/${factor?.id}/verify`, { challenge_id: asked?.id, code: '111111' });
    },
  },
  {
    name: 'security keys as a second factor',
    profiles: ['confirmations', 'closed'],
    async run(target) {
      const { token } = await member(target, 'one@example.com');
      const user = asUser(target, token);
      const key = createAuthenticator(origin);
      const factor = (await user.post('enrol', '/factors', { factor_type: 'webauthn', friendly_name: 'key' }))
        .json;
      const path = `/factors/${factor?.id}`;
      const challenge = (step: string, given = user) =>
        given.post(step, `${path}/challenge`, { webauthn: { rpId: 'app.example.com', rpOrigins: [origin] } });
      await user.post('challenge without a party', `${path}/challenge`, {});
      const first = (await challenge('challenge')).json;
      const verify = (step: string, challenge_id: unknown, webauthn: unknown, given = user) =>
        given.post(step, `${path}/verify`, { challenge_id, webauthn });
      await user.post('a code', `${path}/verify`, { challenge_id: first?.id, code: '123456' });
      await verify('no type', first?.id, {});
      await verify('bad type', first?.id, { type: 'x' });
      await verify('no credential', first?.id, { type: 'create' });
      await verify('bad credential', first?.id, { type: 'create', credential_response: { id: 'x' } });
      const options = first?.webauthn?.credential_options?.publicKey;
      const party = { rpId: 'app.example.com', rpOrigins: [origin] };
      const made = options === undefined ? {} : key.create(options);
      const session = (
        await verify('create', first?.id, { ...party, type: 'create', credential_response: made })
      ).json;
      const raised = asUser(target, session?.access_token ?? token);
      const second = (await challenge('challenge to use', raised)).json;
      const request = second?.webauthn?.credential_options?.publicKey;
      const used = request === undefined ? {} : key.get(request);
      await verify('request', second?.id, { ...party, type: 'request', credential_response: used }, raised);
      await raised.get('user', '/user');
      await raised.delete('unenrol', path);
    },
  },
  {
    name: 'passkeys',
    profiles: ['confirmations', 'closed', 'hooks'],
    async run(target) {
      const { token, id } = await member(target, 'one@example.com');
      const user = asUser(target, token);
      const key = createAuthenticator(origin);
      const options = (await user.post('options', '/passkeys/registration/options', {})).json;
      const credential = options?.options === undefined ? {} : key.create(options.options);
      const register = (step: string, body: unknown) =>
        user.post(step, '/passkeys/registration/verify', body);
      await register('nothing', {});
      await register('no credential', { challenge_id: noId });
      await register('bad challenge', { challenge_id: 'x', credential });
      await register('unknown challenge', { challenge_id: noId, credential });
      const passkey = (await register('register', { challenge_id: options?.challenge_id, credential })).json;
      await register('register again', { challenge_id: options?.challenge_id, credential });
      const again = (await user.post('options again', '/passkeys/registration/options', {})).json;
      const same = again?.options === undefined ? {} : key.create(again.options);
      await register('the same key', { challenge_id: again?.challenge_id, credential: same });
      await user.get('list', '/passkeys');
      const rename = (step: string, friendly_name: unknown, passkeyId = passkey?.id) =>
        target.ask(step, 'PATCH', `/passkeys/${passkeyId}`, { token, body: { friendly_name } });
      await rename('rename', 'my key');
      await rename('rename to nothing', '');
      await rename('rename to much', 'x'.repeat(121));
      await rename('rename unknown', 'x', noId);
      await rename('rename no uuid', 'x', 'x');
      const login = async (step: string, authenticator = key) => {
        const path = '/passkeys/authentication/options';
        const asked = (await target.ask(`${step}: options`, 'POST', path, { body: {} })).json;
        const answer = asked?.options === undefined ? {} : authenticator.get(asked.options);
        const body = { challenge_id: asked?.challenge_id, credential: answer };
        await target.ask(step, 'POST', '/passkeys/authentication/verify', { body });
        await target.ask(`${step}: replay`, 'POST', '/passkeys/authentication/verify', { body });
      };
      await login('sign in');
      await login('sign in by a stranger', createAuthenticator(origin));
      await target.exec("update auth.users set banned_until = now() + interval '1 hour'");
      await login('sign in banned');
      await target.exec('update auth.users set banned_until = null');
      const admin = (step: string, method: string, path: string) =>
        target.ask(step, method, `/admin/users/${id}/passkeys${path}`, { token: target.serviceKey });
      await admin('admin list', 'GET', '');
      await admin('admin delete unknown', 'DELETE', `/${noId}`);
      await admin('admin delete', 'DELETE', `/${passkey?.id}`);
      await user.delete('delete', `/passkeys/${passkey?.id}`);
    },
  },
];
