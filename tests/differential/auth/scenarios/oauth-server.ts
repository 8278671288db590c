import type { Target } from '../target.ts';
import { challenge, member, newVersion, noId, type Scenario, verifier } from './scenario.ts';

const redirectUri = 'https://client.example.com/callback';

/** Members of a client that will not do, or just will. */
const members: readonly Readonly<Record<string, unknown>>[] = [
  { redirect_uris: [] },
  { redirect_uris: 'x' },
  { redirect_uris: ['nonsense'] },
  { redirect_uris: ['/relative'] },
  { redirect_uris: ['http://client.example.com/cb'] },
  { redirect_uris: ['http://localhost:3000/cb'] },
  { redirect_uris: ['http://127.0.0.1/cb'] },
  { redirect_uris: ['https://client.example.com/cb#x'] },
  { redirect_uris: ['myapp://callback'] },
  { redirect_uris: ['javascript:alert(1)'] },
  { redirect_uris: ['data:text/html,x'] },
  { redirect_uris: [''] },
  { redirect_uris: Array.from({ length: 11 }, (_, i) => `${redirectUri}/${i}`) },
  { client_name: 'x'.repeat(1025) },
  { client_name: '' },
  { client_name: 5 },
  { client_uri: 'nonsense' },
  { client_uri: 'https://client.example.com' },
  { client_uri: `https://client.example.com/${'x'.repeat(2100)}` },
  { logo_uri: 'nonsense' },
  { logo_uri: 'https://client.example.com/logo.png' },
  { grant_types: ['password'] },
  { grant_types: ['authorization_code'] },
  { grant_types: [] },
  { response_types: ['token'] },
  { response_types: ['code'] },
  { scope: 'openid email' },
  { scope: 'nonsense' },
  { client_type: 'x' },
  { client_type: 'public' },
  { client_type: 'confidential' },
  { token_endpoint_auth_method: 'x' },
  { token_endpoint_auth_method: 'none' },
  { token_endpoint_auth_method: 'client_secret_basic' },
  { token_endpoint_auth_method: 'client_secret_post' },
  { client_type: 'public', token_endpoint_auth_method: 'client_secret_basic' },
  { client_type: 'confidential', token_endpoint_auth_method: 'none' },
];

const asAdmin =
  (target: Target) =>
  (step: string, method: string, path = '', body?: unknown) =>
    target.ask(step, method, `/admin/oauth/clients${path}`, {
      token: target.serviceKey,
      ...(body === undefined ? {} : { body }),
    });

const form = (
  target: Target,
  step: string,
  body: Record<string, string>,
  headers: Record<string, string> = {},
) =>
  target.ask(step, 'POST', '/oauth/token', {
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(body).toString(),
  });

const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
});

/** The service as an OAuth server. */
export const oauthServer: readonly Scenario[] = [
  {
    name: 'clients of the OAuth server',
    profiles: ['federation', 'closed'],
    async run(target) {
      const admin = asAdmin(target);
      await admin('list of none', 'GET');
      const body = { redirect_uris: [redirectUri], client_name: 'A client' };
      for (const change of members) {
        const text = JSON.stringify(change).slice(0, 80);
        await admin(`make ${text}`, 'POST', '', { ...body, ...change });
        await target.ask(`register ${text}`, 'POST', '/oauth/clients/register', {
          body: { ...body, ...change },
        });
      }
      await admin('make nothing', 'POST', '', {});
      await admin('make no JSON', 'POST', '', '{');
      await target.ask('register nothing', 'POST', '/oauth/clients/register', { body: {} });
      await target.ask('register no JSON', 'POST', '/oauth/clients/register', { body: '{' });
      const made = (await admin('make', 'POST', '', body)).json;
      const open = (await admin('make public', 'POST', '', { ...body, client_type: 'public' })).json;
      for (const query of ['', '?page=1&per_page=2', '?page=x', '?per_page=x', '?page=2&per_page=3']) {
        await admin(`list ${query}`, 'GET', query);
      }
      for (const [name, id] of [
        ['made', made?.client_id],
        ['public', open?.client_id],
        ['unknown', noId],
        ['no uuid', 'x'],
      ]) {
        await admin(`get ${name}`, 'GET', `/${id}`);
        await admin(`put nothing ${name}`, 'PUT', `/${id}`, {});
        await admin(`put a name ${name}`, 'PUT', `/${id}`, { client_name: 'Renamed' });
        await admin(`new secret ${name}`, 'POST', `/${id}/regenerate_secret`);
        await admin(`patch ${name}`, 'PATCH', `/${id}`, {});
      }
      for (const change of members) {
        await admin(`put ${JSON.stringify(change).slice(0, 80)}`, 'PUT', `/${made?.client_id}`, change);
      }
      await admin('delete', 'DELETE', `/${made?.client_id}`);
      await admin('delete again', 'DELETE', `/${made?.client_id}`);
    },
  },
  {
    name: 'consent and tokens of the OAuth server',
    profiles: ['federation', 'closed'],
    async run(target) {
      const { token } = await member(target, 'one@example.com');
      const stranger = await member(target, 'two@example.com');
      const admin = asAdmin(target);
      const client = (
        await admin('make', 'POST', '', { redirect_uris: [redirectUri], client_name: 'A client' })
      ).json;
      const open = (
        await admin('make public', 'POST', '', {
          redirect_uris: [redirectUri],
          client_name: 'An app',
          client_type: 'public',
        })
      ).json;
      const good = {
        client_id: client?.client_id ?? noId,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: 'openid email profile',
        state: 's1',
        code_challenge: challenge.code_challenge,
        code_challenge_method: 'S256',
      };
      const authorize = async (step: string, change: Record<string, string | undefined>) => {
        const all = Object.entries({ ...good, ...change }).filter(([, value]) => value !== undefined);
        const query = new URLSearchParams(all as [string, string][]);
        const { headers } = await target.ask(`authorize ${step}`, 'GET', `/oauth/authorize?${query}`);
        const location = headers.get('location');
        return location === null ? '' : (new URL(location).searchParams.get('authorization_id') ?? '');
      };
      for (const name of Object.keys(good)) await authorize(`without ${name}`, { [name]: undefined });
      await authorize('a client that is none', { client_id: 'x' });
      await authorize('an unknown client', { client_id: noId });
      await authorize('another redirect', { redirect_uri: 'https://evil.example.com/' });
      await authorize('a redirect that is none', { redirect_uri: 'x' });
      await authorize('another type', { response_type: 'token' });
      await authorize('another scope', { scope: 'openid nonsense' });
      await authorize('an empty scope', { scope: '' });
      await authorize('another method', { code_challenge_method: 'x' });
      await authorize('a plain challenge', { code_challenge_method: 'plain' });
      await authorize('a short challenge', { code_challenge: 'x' });
      await authorize('a resource', { resource: 'https://api.example.com' });
      await authorize('a resource that is none', { resource: 'x' });
      await authorize('a resource with a fragment', { resource: 'https://api.example.com#x' });
      await authorize('a resource with a query', { resource: 'https://api.example.com?x' });
      await authorize('a nonce', { nonce: 'n1' });
      await authorize('a long state', { state: 'x'.repeat(5000) });
      const show = (step: string, id: string, bearer = token) =>
        target.ask(`show ${step}`, 'GET', `/oauth/authorizations/${id}`, { token: bearer });
      const consent = (step: string, id: string, body: unknown, bearer = token) =>
        target.ask(`consent ${step}`, 'POST', `/oauth/authorizations/${id}/consent`, { token: bearer, body });
      await show('unknown', noId);
      await show('no uuid', 'x');
      await consent('unknown', noId, { action: 'approve' });
      const denied = await authorize('to be denied', {});
      await show('once', denied);
      await show('by a stranger', denied, stranger.token);
      await target.ask('show to nobody', 'GET', `/oauth/authorizations/${denied}`);
      await consent('nothing', denied, {});
      await consent('another action', denied, { action: 'x' });
      await consent('no JSON', denied, '{');
      await consent('by a stranger', denied, { action: 'approve' }, stranger.token);
      await consent('deny', denied, { action: 'deny' });
      await consent('after all', denied, { action: 'approve' });
      await show('after all', denied);
      const codeOf = async (step: string, change: Record<string, string | undefined> = {}) => {
        const id = await authorize(step, change);
        const shown = (await show(step, id)).json;
        const url =
          shown?.redirect_url ??
          (await consent(step, id, { action: 'approve' })).json?.redirect_url ??
          'http://none/';
        return new URL(url).searchParams.get('code') ?? '';
      };
      const [id, secret] = [client?.client_id ?? noId, client?.client_secret ?? 'x'];
      const grant = { grant_type: 'authorization_code', redirect_uri: redirectUri, code_verifier: verifier };
      const code = await codeOf('to approve');
      await form(target, 'token: nothing', {});
      await form(target, 'token: no client', { ...grant, code });
      await form(target, 'token: a client that is none', { ...grant, code, client_id: 'x' });
      await form(target, 'token: an unknown client', { ...grant, code, client_id: noId, client_secret: 'x' });
      await form(target, 'token: a wrong secret', { ...grant, code }, basic(id, 'wrong'));
      await form(target, 'token: secret in the body', {
        ...grant,
        code,
        client_id: id,
        client_secret: secret,
      });
      await form(target, 'token: no secret', { ...grant, code, client_id: id });
      await form(target, 'token: no grant', { code }, basic(id, secret));
      await form(target, 'token: another grant', { grant_type: 'password', code }, basic(id, secret));
      await form(target, 'token: no code', grant, basic(id, secret));
      await form(target, 'token: a code that is none', { ...grant, code: 'x' }, basic(id, secret));
      await form(
        target,
        'token: a wrong verifier',
        { ...grant, code, code_verifier: 'w'.repeat(64) },
        basic(id, secret),
      );
      await form(
        target,
        'token: another redirect',
        { ...grant, code, redirect_uri: 'https://x.test/' },
        basic(id, secret),
      );
      await form(target, 'token: a bad header', { ...grant, code }, { authorization: 'Basic !' });
      const second = await codeOf('again');
      const tokens = (await form(target, 'token', { ...grant, code: second }, basic(id, secret))).json;
      await form(target, 'token again', { ...grant, code: second }, basic(id, secret));
      await target.ask('userinfo', 'GET', '/oauth/userinfo', { token: tokens?.access_token });
      await target.ask('userinfo of a session', 'GET', '/oauth/userinfo', { token });
      await target.ask('userinfo of nobody', 'GET', '/oauth/userinfo');
      const refreshed = { grant_type: 'refresh_token', refresh_token: tokens?.refresh_token ?? 'x' };
      await form(target, 'refresh: no client', refreshed);
      await form(target, 'refresh: no token', { grant_type: 'refresh_token' }, basic(id, secret));
      await form(target, 'refresh: bad token', { ...refreshed, refresh_token: 'x' }, basic(id, secret));
      await form(target, 'refresh: another client', { ...refreshed, client_id: open?.client_id ?? noId });
      await form(target, 'refresh', refreshed, basic(id, secret));
      await target.ask('refresh as a session', 'POST', '/token?grant_type=refresh_token', {
        body: { refresh_token: refreshed.refresh_token },
      });
      const app = await codeOf('as an app', { client_id: open?.client_id ?? noId });
      await form(target, 'app: with a secret', {
        ...grant,
        code: app,
        client_id: open?.client_id ?? noId,
        client_secret: 'x',
      });
      await form(target, 'app', { ...grant, code: app, client_id: open?.client_id ?? noId });
      await target.ask('grants', 'GET', '/user/oauth/grants', { token });
      const revoke = (step: string, query: string) =>
        target.ask(`revoke ${step}`, 'DELETE', `/user/oauth/grants${query}`, { token });
      await revoke('nothing', '');
      await revoke('no uuid', '?client_id=x');
      await revoke('unknown', `?client_id=${noId}`);
      await revoke('one', `?client_id=${id}`);
      await revoke('one again', `?client_id=${id}`);
      await target.ask('grants after', 'GET', '/user/oauth/grants', { token });
      await form(target, 'refresh after', refreshed, basic(id, secret));
      await target.ask('new version', 'GET', '/oauth/authorize', { headers: newVersion });
      for (const [method, path] of [
        ['GET', '/oauth/token'],
        ['POST', '/oauth/authorize'],
        ['GET', '/oauth/clients/register'],
        ['POST', '/oauth/userinfo'],
        ['GET', '/oauth/nonsense'],
        ['POST', '/user/oauth/grants'],
        ['GET', '/admin/oauth/nonsense'],
      ] as const) {
        await target.ask(`${method} ${path}`, method, path, { token });
      }
    },
  },
];
