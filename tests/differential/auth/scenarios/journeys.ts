import { challenge, confirmed, newVersion, noId, password, type Scenario, verifier } from './scenario.ts';

/** The paths that most apps take, where addresses are confirmed and nothing is throttled. */
export const journeys: readonly Scenario[] = [
  {
    name: 'sign-up, confirmation, sign-in, refresh, sign-out',
    profiles: ['confirmations'],
    async run(target) {
      const email = 'one@example.com';
      const session = await confirmed(target, email);
      const token = session.access_token;
      await target.ask('user', 'GET', '/user', { token });
      const refresh = (refresh_token: string) =>
        target.ask('refresh', 'POST', '/token?grant_type=refresh_token', { body: { refresh_token } });
      const second = (await refresh(session.refresh_token)).json;
      await refresh(session.refresh_token);
      await refresh(second.refresh_token);
      await target.ask('again', 'POST', '/signup', { body: { email, password, data: { other: 1 } } });
      await target.ask('bad scope', 'POST', '/logout?scope=all', { token });
      await target.ask('sign out', 'POST', '/logout', { token });
      await target.ask('user after', 'GET', '/user', { token, headers: newVersion });
      await refresh(second.refresh_token);
    },
  },
  {
    name: 'refusals',
    profiles: ['confirmations'],
    async run(target) {
      const post = (path: string, body: unknown) =>
        target.ask(`${path} ${JSON.stringify(body)}`, 'POST', path, { body });
      for (const body of [
        {},
        { email: 'a@b.co' },
        { email: 'a@b.co', password: 'x' },
        { email: 'nonsense', password },
        { email: '', phone: '+1555', password },
        { email: 'a@b.co', phone: '1', password },
        { email: 'a@b.co', password, code_challenge: 'x' },
        { email: 'a@b.co', password, code_challenge: 'x', code_challenge_method: 's256' },
        { email: 'a@b.co', password: 'x'.repeat(73) },
      ]) {
        await post('/signup', body);
      }
      for (const body of [
        {},
        { email: 'nobody@example.com', password },
        { email: 'a@b.co', phone: '1', password },
        { phone: '15550000', password },
      ]) {
        await post('/token?grant_type=password', body);
      }
      await post('/token', {});
      await post('/token?grant_type=refresh_token', { refresh_token: 'abcdefghijkl' });
      await post('/token?grant_type=refresh_token', { refresh_token: 'nonsense' });
      await post('/token?grant_type=refresh_token', {});
      await post('/token?grant_type=pkce', {});
      await post('/token?grant_type=pkce', { auth_code: 'x', code_verifier: 'y' });
      await post('/token?grant_type=id_token', {});
      await post('/token?grant_type=id_token', { provider: 'google', id_token: 'x' });
      await post('/token?grant_type=id_token', { provider: 'nonsense', id_token: 'x' });
      await post('/token?grant_type=web3', {});
      for (const body of [
        {},
        { type: 'signup' },
        { type: 'signup', token: '123456' },
        { type: 'signup', token: '123456', email: 'nobody@example.com' },
        { type: 'signup', token_hash: 'x', email: 'a@b.co' },
        { type: 'email', token_hash: 'x' },
        { type: 'nonsense', token_hash: 'x' },
        { type: 'nonsense', token: '1', email: 'nobody@example.com' },
        { type: 'sms', token: '1', phone: '15550000' },
        { type: 'signup', token: '1', email: 'nonsense' },
      ]) {
        await post('/verify', body);
      }
      for (const body of [{}, { email: 'nonsense' }, { email: 'nobody@example.com' }]) {
        await post('/recover', body);
        await post('/magiclink', body.email === 'nobody@example.com' ? { email: '' } : body);
      }
      for (const body of [
        {},
        { email: 'a@b.co', phone: '1' },
        { email: 'a@b.co', channel: 'sms' },
        { email: 'nobody@example.com', create_user: false },
        { phone: '15550000' },
      ]) {
        await post('/otp', body);
      }
      for (const body of [
        {},
        { type: 'signup' },
        { type: 'sms' },
        { type: 'email_change' },
        { type: 'signup', email: 'a@b.co', phone: '1' },
        { type: 'signup', email: 'nobody@example.com' },
      ]) {
        await post('/resend', body);
      }
    },
  },
  {
    name: 'tokens that are none, and guards',
    profiles: ['confirmations'],
    async run(target) {
      const get = (step: string, path: string, headers: Record<string, string>) =>
        target.ask(step, 'GET', path, { headers });
      await get('none', '/user', {});
      await get('not bearer', '/user', { authorization: 'Basic x' });
      await get('no jwt', '/user', { authorization: 'Bearer x' });
      await get('service key', '/user', { authorization: `Bearer ${target.serviceKey}` });
      await get('no admin', '/admin/users', {});
      await get('unknown path', '/nonsense', {});
      await target.ask('wrong method', 'PUT', '/signup');
      await get('verify without type', '/verify', {});
      await get('verify without token', '/verify?type=signup', {});
      await get('verify nonsense', '/verify?type=signup&token=x', {});
      await get('verify nonsense pkce', '/verify?type=signup&token=pkce_x', {});
      await get('verify bad type', '/verify?type=nonsense&token=x', {});
      await get('authorize nothing', '/authorize', {});
      await get('authorize nonsense', '/authorize?provider=nonsense', {});
      await get('authorize disabled', '/authorize?provider=github', {});
      await get('callback nothing', '/callback', {});
      await get('callback nonsense', '/callback?state=x', {});
      await get('callback unknown', `/callback?state=${noId}`, {});
      await get('settings', '/settings', {});
      await get('jwks', '/.well-known/jwks.json', {});
      await target.ask('sso', 'POST', '/sso', { body: { domain: 'x.com' } });
      await target.ask('passkeys', 'POST', '/passkeys/authentication/options', { body: {} });
    },
  },
  {
    name: 'links by PKCE, recovery, magic link and codes',
    profiles: ['confirmations'],
    async run(target) {
      const email = 'two@example.com';
      const redirect = encodeURIComponent('https://app.example.com/cb?a=1&b=2');
      await target.ask('sign up', 'POST', `/signup?redirect_to=${redirect}`, {
        body: { email, password, ...challenge },
      });
      const { query } = await target.mail(email);
      const followed = await target.ask('follow', 'GET', `/verify${query}`);
      const code = new URL(followed.headers.get('location') ?? 'http://none/').searchParams.get('code');
      const exchange = (code_verifier: string) =>
        target.ask('exchange', 'POST', '/token?grant_type=pkce', {
          body: { auth_code: code, code_verifier },
        });
      await exchange('x'.repeat(64));
      await exchange(verifier);
      await exchange(verifier);
      await target.ask('used link', 'GET', `/verify${query}`);
      await target.ask('recover', 'POST', '/recover', { body: { email } });
      const recovery = await target.mail(email);
      await target.ask('recovery by hash', 'POST', '/verify', {
        body: { type: 'recovery', token_hash: recovery.hash },
      });
      await target.ask('magic link', 'POST', '/magiclink', { body: { email, ...challenge } });
      await target.mail(email);
      await target.ask('otp', 'POST', '/otp', { body: { email } });
      const magic = await target.mail(email);
      await target.ask('wrong code', 'POST', '/verify', { body: { type: 'email', email, token: '000000' } });
      await target.ask('by link', 'GET', `/verify${magic.query}`);
      await target.ask('otp of a stranger', 'POST', '/otp', { body: { email: 'three@example.com' } });
      const stranger = await target.mail('three@example.com');
      await target.ask('stranger by hash', 'POST', '/verify', {
        body: { type: 'email', token_hash: stranger.hash },
      });
    },
  },
  {
    name: 'changes of a user',
    profiles: ['confirmations'],
    async run(target) {
      const { access_token: token } = await confirmed(target, 'four@example.com');
      const put = (step: string, body: unknown) => target.ask(step, 'PUT', '/user', { token, body });
      await put('nothing', {});
      await put('data', { data: { name: null, age: 5 } });
      await put('app metadata', { app_metadata: { a: 1 } });
      await put('weak', { password: 'x' });
      await put('same', { password });
      await put('bad email', { email: 'nonsense' });
      await put('phone', { phone: 'nonsense' });
      await put('password', { password: 'another horse' });
      await put('email', { email: 'five@example.com' });
      const old = await target.mail('four@example.com');
      const fresh = await target.mail('five@example.com');
      await target.ask('first', 'GET', `/verify${old.query}`);
      await target.ask('second', 'POST', '/verify', {
        body: { type: 'email_change', token_hash: fresh.hash },
      });
      await target.ask('reauthenticate', 'GET', '/reauthenticate', { token });
    },
  },
  {
    name: 'second factors',
    profiles: ['confirmations'],
    async run(target) {
      const { access_token: token } = await confirmed(target, 'six@example.com');
      const post = (step: string, path: string, body: unknown) =>
        target.ask(step, 'POST', path, { token, body });
      await post('bad type', '/factors', { factor_type: 'nonsense' });
      await post('phone', '/factors', { factor_type: 'phone', phone: 'x' });
      const factor = (await post('totp', '/factors', { factor_type: 'totp', friendly_name: 'app' })).json;
      await post('same name', '/factors', { factor_type: 'totp', friendly_name: 'app' });
      await post('bad id', '/factors/nonsense/challenge', {});
      await post('unknown', `/factors/${noId}/challenge`, {});
      const asked = (await post('challenge', `/factors/${factor.id}/challenge`, {})).json;
      const verify = (step: string, body: unknown) => post(step, `/factors/${factor.id}/verify`, body);
      await verify('no code', { challenge_id: asked.id, code: '' });
      await verify('wrong code', { challenge_id: asked.id, code: '000000' });
      await verify('wrong challenge', { challenge_id: noId, code: '1' });
      await target.ask('user', 'GET', '/user', { token });
      await target.ask('unenrol', 'DELETE', `/factors/${factor.id}`, { token });
    },
  },
  {
    name: 'administration',
    profiles: ['confirmations'],
    async run(target) {
      const token = target.serviceKey;
      const admin = (step: string, method: string, path: string, body?: unknown) =>
        target.ask(step, method, path, body === undefined ? { token } : { token, body });
      const made = await admin('create', 'POST', '/admin/users', {
        email: 'Seven@example.com',
        phone: '+1 555 0007',
        password,
        email_confirm: true,
        user_metadata: { a: 1 },
        app_metadata: { plan: 'x' },
        ban_duration: '1h',
      });
      const { id } = made.json;
      await admin('again', 'POST', '/admin/users', { email: 'seven@example.com' });
      await admin('phone again', 'POST', '/admin/users', { phone: '15550007' });
      await admin('nothing', 'POST', '/admin/users', {});
      await admin('bad ban', 'POST', '/admin/users', { email: 'x@y.zz', ban_duration: 'soon' });
      await admin('both', 'POST', '/admin/users', { email: 'x@y.zz', password, password_hash: 'x' });
      await admin('bad hash', 'POST', '/admin/users', { email: 'x@y.zz', password_hash: 'x' });
      await admin('bad id', 'POST', '/admin/users', { email: 'x@y.zz', id: 'x' });
      await admin('long', 'POST', '/admin/users', { email: 'x@y.zz', password: 'x'.repeat(73) });
      await admin('get', 'GET', `/admin/users/${id}`);
      await admin('unknown', 'GET', `/admin/users/${noId}`);
      await admin('no id', 'GET', '/admin/users/x');
      await admin('update', 'PUT', `/admin/users/${id}`, {
        email: 'eight@example.com',
        user_metadata: { a: null, b: 2 },
        ban_duration: 'none',
      });
      await admin('weak', 'PUT', `/admin/users/${id}`, { password: 'x' });
      await admin('invite', 'POST', '/invite', { email: 'nine@example.com', data: { x: 1 } });
      await target.mail('nine@example.com');
      await admin('invite confirmed', 'POST', '/invite', { email: 'eight@example.com' });
      for (const type of ['signup', 'invite', 'magiclink', 'recovery', 'email_change_current', 'x']) {
        const body = { type, email: 'eight@example.com', new_email: 'ten@example.com', password };
        await admin(`link ${type}`, 'POST', '/admin/generate_link', body);
        await admin(`link ${type} for nobody`, 'POST', '/admin/generate_link', {
          ...body,
          email: `${type}@strangers.example.com`,
        });
      }
      await admin('factors', 'GET', `/admin/users/${id}/factors`);
      await admin('audit', 'GET', '/admin/audit?query=action:user_invited');
      await admin('audit nonsense', 'GET', '/admin/audit?query=x:y');
      await admin('page', 'GET', '/admin/users?page=2&per_page=1');
      await admin('bad page', 'GET', '/admin/users?page=x');
      await admin('bad sort', 'GET', '/admin/users?sort=email');
      await admin('soft delete', 'DELETE', `/admin/users/${id}`, { should_soft_delete: true });
      await admin('get deleted', 'GET', `/admin/users/${id}`);
      await admin('delete', 'DELETE', `/admin/users/${id}`);
      await admin('sso', 'GET', '/admin/sso/providers');
    },
  },
  {
    name: 'anonymous users',
    profiles: ['confirmations'],
    async run(target) {
      const { json } = await target.ask('sign in', 'POST', '/signup', { body: { data: { a: 1 } } });
      const token = json.access_token;
      await target.ask('factors', 'POST', '/factors', { token, body: { factor_type: 'totp' } });
      await target.ask('password', 'PUT', '/user', { token, body: { password } });
      await target.ask('email', 'PUT', '/user', { token, body: { email: 'eleven@example.com' } });
      const { query } = await target.mail('eleven@example.com');
      await target.ask('follow', 'GET', `/verify${query}`);
      await target.ask('user', 'GET', '/user', { token });
    },
  },
];
