import type { ProviderUser } from '../identity-provider.ts';
import type { Target } from '../target.ts';
import { challenge, member, noId, password, post, type Scenario, verifier } from './scenario.ts';

/** Goes to a provider and comes back as a user of it. */
async function signInAt(
  target: Target,
  step: string,
  user: ProviderUser,
  options: { readonly provider?: string; readonly query?: string; readonly code?: string } = {},
) {
  const { provider = 'keycloak', query = '', code = 'code' } = options;
  target.stage.providerUser = user;
  const begun = await target.ask(`${step}: begin`, 'GET', `/authorize?provider=${provider}${query}`);
  const state = new URL(begun.headers.get('location') ?? 'http://none/').searchParams.get('state');
  const back = await target.ask(`${step}: back`, 'GET', `/callback?state=${state}&code=${code}`);
  await target.ask(`${step}: back again`, 'GET', `/callback?state=${state}&code=${code}`);
  return { state, location: new URL(back.headers.get('location') ?? 'http://none/') };
}

const person = (id: string, email: string | null, isVerified = true): ProviderUser => ({
  id,
  email,
  isVerified,
  name: `Person ${id}`,
});

const pkce = `&code_challenge=${challenge.code_challenge}&code_challenge_method=s256`;

/** Users that come from providers, and what ties them to accounts. */
export const identities: readonly Scenario[] = [
  {
    name: 'sign-in at a provider',
    profiles: ['confirmations', 'autoconfirm', 'closed', 'hooks'],
    async run(target) {
      await signInAt(target, 'new', person('1', 'One@example.com'));
      await signInAt(target, 'known', person('1', 'one@example.com'));
      await signInAt(target, 'other address', person('1', 'changed@example.com'));
      await signInAt(target, 'unverified', person('2', 'two@example.com', false));
      await signInAt(target, 'no address', person('3', null));
      await signInAt(target, 'github', person('4', 'four@example.com'), { provider: 'github' });
      await signInAt(target, 'github unverified', person('5', 'five@example.com', false), {
        provider: 'github',
      });
      await signInAt(target, 'github no address', person('6', null), { provider: 'github' });
      await signInAt(target, 'redirect', person('1', 'one@example.com'), {
        query:
          '&redirect_to=https://app.example.com/cb?a=1&scopes=x,y&prompt=consent&state=evil&client_id=evil',
      });
      const coded = await signInAt(target, 'pkce', person('1', 'one@example.com'), { query: pkce });
      const auth_code = coded.location.searchParams.get('code');
      await post(target, '/token?grant_type=pkce', { auth_code, code_verifier: verifier });
      await signInAt(target, 'bad challenge', person('1', 'one@example.com'), { query: '&code_challenge=x' });
      await signInAt(target, 'bad method', person('1', 'one@example.com'), {
        query: `&code_challenge=${'x'.repeat(43)}&code_challenge_method=x`,
      });
      await target.exec("update auth.users set banned_until = now() + interval '1 hour'");
      await signInAt(target, 'banned', person('1', 'one@example.com'));
    },
  },
  {
    name: 'callbacks that fail',
    profiles: ['confirmations'],
    async run(target) {
      const begin = async () => {
        const begun = await target.ask('begin', 'GET', `/authorize?provider=keycloak${pkce}`);
        return new URL(begun.headers.get('location') ?? 'http://none/').searchParams.get('state');
      };
      const back = (step: string, query: string) => target.ask(step, 'GET', `/callback?${query}`);
      await back('no code', `state=${await begin()}`);
      await back('error', `state=${await begin()}&error=access_denied&error_description=no+way&error_code=x`);
      await back('error without words', `state=${await begin()}&error=access_denied`);
      await back('unknown state', `state=${noId}&code=x`);
      await back('no uuid', 'state=x&code=x');
      await back('no state', 'code=x');
      await back('nothing', '');
      const late = await begin();
      await target.exec("update auth.flow_state set created_at = now() - interval '1 hour'");
      await back('late', `state=${late}&code=x`);
      await target.ask('by POST', 'POST', '/callback', {
        body: `state=${await begin()}&code=code`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      await target.ask('by POST with a query', 'POST', `/callback?state=${await begin()}&code=code`);
      for (const provider of ['', 'nonsense', 'google', 'email', 'custom:x', 'KEYCLOAK']) {
        await target.ask(`provider ${provider}`, 'GET', `/authorize?provider=${provider}`);
      }
      await target.ask('invite token', 'GET', '/authorize?provider=keycloak&invite_token=x');
    },
  },
  {
    name: 'who a provider user becomes',
    profiles: ['confirmations', 'autoconfirm'],
    async run(target) {
      await member(target, 'one@example.com');
      await signInAt(target, 'same verified address', person('1', 'one@example.com'));
      await signInAt(target, 'same unverified address', person('2', 'one@example.com', false));
      await post(target, '/signup', { email: 'two@example.com', password, data: { evil: 1 } });
      await signInAt(target, 'unconfirmed account', person('3', 'two@example.com'));
      await post(target, '/token?grant_type=password', { email: 'two@example.com', password });
      await post(target, '/signup', { email: 'three@example.com', password });
      await signInAt(target, 'unconfirmed account, unverified', person('4', 'three@example.com', false));
      await signInAt(target, 'second provider', person('5', 'one@example.com'), { provider: 'github' });
    },
  },
  {
    name: 'identities linked and unlinked',
    profiles: ['confirmations', 'closed', 'hooks'],
    async run(target) {
      const { token } = await member(target, 'one@example.com');
      const link = async (step: string, given: string, user: ProviderUser) => {
        target.stage.providerUser = user;
        const path = '/user/identities/authorize?provider=keycloak&skip_http_redirect=true';
        const begun = await target.ask(`${step}: begin`, 'GET', path, { token: given });
        const state = new URL(begun.json?.url ?? 'http://none/').searchParams.get('state');
        await target.ask(`${step}: back`, 'GET', `/callback?state=${state}&code=code`);
      };
      await target.ask('by redirect', 'GET', '/user/identities/authorize?provider=keycloak', { token });
      await target.ask('nowhere', 'GET', '/user/identities/authorize', { token });
      await link('link', token, person('1', 'other@example.com'));
      await link('link again', token, person('1', 'other@example.com'));
      const stranger = await member(target, 'two@example.com');
      await link('link of another', stranger.token, person('1', 'other@example.com'));
      const anonymous = (await post(target, '/signup', {})).json;
      await link('link of an anonymous', anonymous?.access_token, person('2', 'three@example.com'));
      await target.ask('anonymous no more', 'GET', '/user', { token: anonymous?.access_token });
      const user = (await target.ask('user', 'GET', '/user', { token })).json;
      const idOf = (provider: string): string =>
        user?.identities?.find((one: { provider: string }) => one.provider === provider)?.identity_id ?? noId;
      const unlink = (step: string, id: string, given = token) =>
        target.ask(step, 'DELETE', `/user/identities/${id}`, { token: given });
      await unlink('no uuid', 'x');
      await unlink('unknown', noId);
      await unlink('of another', idOf('keycloak'), stranger.token);
      await unlink('email', idOf('email'));
      await target.ask('user without email', 'GET', '/user', { token });
      await unlink('the last', idOf('keycloak'));
    },
  },
];
