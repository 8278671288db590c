import { challenge, member, noId, password, post, type Scenario, signIn } from './scenario.ts';

const redirects = [
  '',
  'https://app.example.com',
  'https://app.example.com/',
  'https://app.example.com/cb',
  'https://app.example.com/cb?a=1&b=2',
  'https://app.example.com/cb#frag',
  'https://app.example.com/cb?next=https%3A%2F%2Fx.com%2Fa%26b',
  'http://app.example.com/cb',
  'https://app.example.com:8443/cb',
  'https://x.preview.example.com/a/b',
  'https://x.y.preview.example.com/a',
  'https://preview.example.com/a',
  'https://evil.com/',
  'https://app.example.com.evil.com/',
  'https://app.example.com@evil.com/',
  'https://evil.com/?https://app.example.com/',
  '//app.example.com/cb',
  '/cb',
  'myapp://callback',
  'myapp://callback/a?b=c',
  'javascript:alert(1)',
  'http://localhost:8000/x',
  'http://localhost:8000/x/y',
  'http://localhost:9000/x',
  'http://127.0.0.1:9000/x',
  'http://2130706433/',
  'http://[::1]:3000/x',
  'https://app.example.com\\@evil.com/',
  ' https://app.example.com/cb',
  'HTTPS://APP.EXAMPLE.COM/cb',
  'nonsense',
] as const;

/** Links and codes that are followed. */
export const verifications: readonly Scenario[] = [
  {
    name: 'where links lead',
    profiles: ['confirmations'],
    async run(target) {
      await member(target, 'one@example.com');
      for (const redirect of redirects) {
        for (const flow of [{}, challenge]) {
          const name = `${redirect} ${flow === challenge ? 'by PKCE' : ''}`;
          const query = redirect === '' ? '' : `?redirect_to=${encodeURIComponent(redirect)}`;
          const body = { email: 'one@example.com', ...flow };
          await target.ask(`otp ${name}`, 'POST', `/otp${query}`, { body });
          const mail = await target.mail('one@example.com');
          await target.ask(`follow ${name}`, 'GET', `/verify${mail.query}`);
          await target.ask(`follow again ${name}`, 'GET', `/verify${mail.query}`);
        }
      }
      for (const headers of [
        { redirect_to: 'https://app.example.com/header' },
        { referer: 'https://app.example.com/referer' },
        { referer: 'https://evil.com/' },
        { redirect_to: 'https://evil.com', referer: 'https://app.example.com/referer' },
      ]) {
        const step = JSON.stringify(headers);
        await target.ask(step, 'POST', '/otp', { body: { email: 'one@example.com' }, headers });
        await target.ask(`verify ${step}`, 'GET', '/verify?type=magiclink&token=x', { headers });
      }
    },
  },
  {
    name: 'links of every type',
    profiles: ['confirmations', 'autoconfirm'],
    async run(target) {
      const types = [
        'signup',
        'invite',
        'recovery',
        'magiclink',
        'email',
        'email_change',
        'sms',
        'nonsense',
        '',
      ];
      for (const type of types) {
        for (const token of ['', 'x', 'pkce_x', 'a'.repeat(56), `pkce_${'a'.repeat(56)}`]) {
          await target.ask(`GET ${type} ${token}`, 'GET', `/verify?type=${type}&token=${token}`);
          await post(target, '/verify', { type, token_hash: token });
          await post(target, '/verify', { type, token, email: 'one@example.com' });
          await post(target, '/verify', { type, token, phone: '15550001' });
        }
        await post(target, '/verify', { type, token: 'x', token_hash: 'x' });
        await post(target, '/verify', { type, token: 'x', email: 'a@b.co', phone: '15550001' });
        await post(target, '/verify', { type, token_hash: 'x', redirect_to: 'https://app.example.com' });
        await post(target, '/verify', { type, token: 'x' });
        await post(target, '/verify', { type, token: 'x', email: 'nonsense' });
        await post(target, '/verify', { type, token: 'x', phone: 'nonsense' });
      }
      await target.ask('GET by token_hash', 'GET', '/verify?type=signup&token_hash=x');
      await target.ask('GET by email', 'GET', '/verify?type=signup&token=x&email=a@b.co');
    },
  },
  {
    name: 'links that admins make, followed',
    profiles: ['confirmations', 'autoconfirm', 'hooks'],
    async run(target) {
      const token = target.serviceKey;
      const link = async (type: string, email: string, more: Readonly<Record<string, unknown>> = {}) => {
        const body = { type, email, password, ...more };
        const made = await target.ask(`link ${type} ${email}`, 'POST', '/admin/generate_link', {
          token,
          body,
        });
        return made.json ?? {};
      };
      const signUp = await link('signup', 'one@example.com', { data: { a: 1 } });
      await post(target, '/verify', { type: 'signup', token_hash: signUp.hashed_token });
      const again = await link('magiclink', 'one@example.com');
      await target.ask('magic link', 'GET', `/verify${new URL(again.action_link ?? 'http://x').search}`);
      const recovery = await link('recovery', 'one@example.com');
      await post(target, '/verify', {
        type: 'recovery',
        email: 'one@example.com',
        token: recovery.email_otp,
      });
      const stranger = await link('magiclink', 'two@example.com');
      await post(target, '/verify', { type: 'magiclink', token_hash: stranger.hashed_token });
      await post(target, '/verify', { type: stranger.verification_type, token_hash: stranger.hashed_token });
      const invite = await link('invite', 'three@example.com', { data: { b: 2 } });
      await post(target, '/verify', { type: 'invite', token_hash: invite.hashed_token });
      const email = await link('signup', 'four@example.com');
      await post(target, '/verify', { type: 'email', email: 'four@example.com', token: email.email_otp });
      await link('recovery', 'nobody@example.com');
      await link('signup', 'one@example.com');
      await link('invite', 'one@example.com');
      await link('signup', 'five@example.com', { password: undefined });
      await link('signup', 'five@example.com', { password: 'x' });
      await link('magiclink', 'six@example.com', { redirect_to: 'https://app.example.com/six' });
      await link('magiclink', 'seven@example.com', { redirect_to: 'https://evil.com/' });
      await link('email_change_current', 'one@example.com', { new_email: 'nonsense' });
      await link('email_change_current', 'one@example.com', { new_email: 'two@example.com' });
      await link('email_change_current', 'one@example.com', { new_email: 'eight@example.com' });
      await link('email_change_new', 'one@example.com', { new_email: 'eight@example.com' });
    },
  },
  {
    name: 'links of the banned, the unconfirmed and the deleted',
    profiles: ['confirmations'],
    async run(target) {
      const { id } = await member(target, 'one@example.com');
      const admin = (step: string, method: string, body: unknown) =>
        target.ask(step, method, `/admin/users/${id}`, { token: target.serviceKey, body });
      await post(target, '/recover', { email: 'one@example.com' });
      const recovery = await target.mail('one@example.com');
      await admin('ban', 'PUT', { ban_duration: '1h' });
      await target.ask('follow banned', 'GET', `/verify${recovery.query}`);
      await post(target, '/verify', { type: 'recovery', token_hash: recovery.hash });
      await post(target, '/verify', { type: 'recovery', email: 'one@example.com', token: recovery.code });
      await admin('unban', 'PUT', { ban_duration: 'none' });
      await target.exec("update auth.users set recovery_sent_at = now() - interval '2 hours'");
      await target.ask('follow old', 'GET', `/verify${recovery.query}`);
      await post(target, '/verify', { type: 'recovery', email: 'one@example.com', token: recovery.code });
      await post(target, '/recover', { email: 'one@example.com' });
      const late = await target.mail('one@example.com');
      await post(target, '/verify', { type: 'magiclink', email: 'ONE@example.com', token: late.code });
      await post(target, '/recover', { email: 'one@example.com' });
      const changed = await target.mail('one@example.com');
      const { access_token: token } = await signIn(target, 'one@example.com');
      await target.ask('new password', 'PUT', '/user', { token, body: { password: 'Another-horse-1' } });
      await target.ask('follow after a change', 'GET', `/verify${changed.query}`);
      await post(target, '/signup', { email: 'two@example.com', password });
      await post(target, '/recover', { email: 'two@example.com' });
      const unconfirmed = await target.mail('two@example.com');
      const reset = await target.mail('two@example.com');
      await target.ask('follow recovery', 'GET', `/verify${reset.query}`);
      await target.ask('follow sign-up', 'GET', `/verify${unconfirmed.query}`);
      await post(target, '/recover', { email: 'one@example.com' });
      const dead = await target.mail('one@example.com');
      await admin('soft delete', 'DELETE', { should_soft_delete: true });
      await target.ask('follow deleted', 'GET', `/verify${dead.query}`);
      await target.ask('user deleted', 'GET', '/user', { token });
      await signIn(target, 'one@example.com', 'Another-horse-1');
      await post(target, '/signup', { email: 'one@example.com', password });
      await target.ask('unknown user', 'GET', `/admin/users/${noId}`, { token: target.serviceKey });
    },
  },
];
