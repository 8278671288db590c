import { challenge, member, newVersion, password, post, type Scenario, signIn } from './scenario.ts';

const everywhere = ['confirmations', 'autoconfirm', 'closed', 'strict'] as const;

/** Making accounts: by mail, by phone, and without either. */
export const signUps: readonly Scenario[] = [
  {
    name: 'sign-up by mail',
    profiles: everywhere,
    async run(target) {
      const body = {
        email: 'One@Example.com',
        password,
        data: { name: 'N', nested: { a: [1] }, empty: null },
      };
      await post(target, '/signup', body);
      await post(target, '/signup', { ...body, password: 'Other-horse-2' });
      await post(target, '/signup?redirect_to=https://app.example.com/x', {
        email: 'two@example.com',
        password,
      });
      await post(target, '/signup?redirect_to=https://evil.com/', { email: 'three@example.com', password });
      await post(target, '/signup', { email: 'four@example.com', password, ...challenge });
      await post(target, '/signup', { email: 'five@example.com', password, data: {} });
      await post(target, '/signup', {
        email: 'six@example.com',
        password,
        data: { email: 'x@y.z', sub: 'x' },
      });
      await signIn(target, 'one@example.com');
      await signIn(target, 'ONE@example.com', 'Wrong-horse-1');
      await member(target, 'seven@example.com');
      await post(target, '/signup', { email: 'seven@example.com', password, data: { a: 1 } });
      await post(target, '/signup', { email: 'SEVEN@example.com', password: 'Wrong-horse-1' });
      await target.ask('new version', 'POST', '/signup', {
        body: { email: 'seven@example.com', password },
        headers: newVersion,
      });
    },
  },
  {
    name: 'sign-up by phone',
    profiles: everywhere,
    async run(target) {
      await post(target, '/signup', { phone: '+1 555 0001', password, data: { name: 'N' } });
      await post(target, '/signup', { phone: '15550001', password });
      await post(target, '/signup', { phone: '15550002', password, channel: 'whatsapp' });
      await post(target, '/signup', { phone: '15550002', password, channel: 'pigeon' });
      await post(target, '/signup', { phone: '15550003', password, ...challenge });
      await post(target, '/signup', { phone: '15559999', password });
      await post(target, '/signup', { phone: 'x', password });
      await post(target, '/signup', { phone: '0155', password });
      await post(target, '/verify', { type: 'sms', phone: '15550001', token: '999999' });
      await post(target, '/verify', { type: 'sms', phone: '+1 5550001', token: '111111' });
      await post(target, '/verify', { type: 'sms', phone: '15550001', token: '111111' });
      await post(target, '/token?grant_type=password', { phone: '+15550001', password });
      await post(target, '/token?grant_type=password', { phone: '15550002', password });
      await post(target, '/signup', { phone: '15550001', password });
      await post(target, '/otp', { phone: '15550001' });
      await post(target, '/otp', { phone: '15550004', data: { a: 1 } });
      await post(target, '/otp', { phone: '15550005', create_user: false });
      await post(target, '/otp', { phone: '15550001', channel: 'pigeon' });
      await post(target, '/resend', { type: 'sms', phone: '15550004' });
      await post(target, '/resend', { type: 'sms', phone: '15550001' });
      await post(target, '/resend', { type: 'phone_change', phone: '15550001' });
      await post(target, '/verify', { type: 'sms', phone: '15550004', token: '444444' });
    },
  },
  {
    name: 'anonymous sign-in and how it becomes an account',
    profiles: everywhere,
    async run(target) {
      const first = (await post(target, '/signup', {})).json;
      const second = (await post(target, '/signup', { data: { a: 1 } })).json;
      await post(target, '/signup', { data: 'x' });
      await post(target, '/signup', { email: '', phone: '', password: '' });
      const token = first?.access_token;
      const put = (step: string, body: unknown) => target.ask(step, 'PUT', '/user', { token, body });
      await target.ask('user', 'GET', '/user', { token });
      await put('password', { password });
      await put('data', { data: { b: 2 } });
      await put('email', { email: 'one@example.com' });
      await put('password with an email', { email: 'two@example.com', password });
      await target.ask('phone', 'PUT', '/user', { token: second?.access_token, body: { phone: '15550001' } });
      await post(target, '/verify', { type: 'phone_change', phone: '15550001', token: '111111' });
      await target.ask('user at last', 'GET', '/user', { token });
      await target.ask('factors', 'POST', '/factors', { token, body: { factor_type: 'totp' } });
      await target.ask('out', 'POST', '/logout', { token });
    },
  },
  {
    name: 'passwords that will not do',
    profiles: everywhere,
    async run(target) {
      for (const weak of [
        '',
        'x',
        'short',
        'longenough',
        'LongEnough',
        'LongEnough1',
        '1234567890',
        'é'.repeat(36),
      ]) {
        await post(target, '/signup', { email: `p${weak.length}@example.com`, password: weak });
        await target.ask(`new: ${weak}`, 'POST', '/signup', {
          body: { email: 'x@example.com', password: weak },
          headers: newVersion,
        });
      }
      for (const long of ['x'.repeat(72), 'x'.repeat(73), 'é'.repeat(37)]) {
        await post(target, '/signup', { email: 'long@example.com', password: `A1${long.slice(2)}` });
      }
      const { token } = await member(target, 'one@example.com');
      for (const next of ['x', 'longenough', password, 'x'.repeat(73), '']) {
        await target.ask(`change to ${next}`, 'PUT', '/user', { token, body: { password: next } });
      }
      await member(target, 'weak@example.com', { password: 'x' });
      await signIn(target, 'weak@example.com', 'x');
    },
  },
  {
    name: 'addresses of every shape',
    profiles: ['confirmations'],
    async run(target) {
      for (const email of [
        'plain',
        '@example.com',
        'a@',
        'a@b',
        'a@b.c',
        'a b@example.com',
        ' a@example.com',
        'a@example.com ',
        'a@-example.com',
        'a@example..com',
        'a+tag@example.com',
        "o'hara@example.com",
        'é@example.com',
        'a@exämple.com',
        '"a b"@example.com',
        'a@[127.0.0.1]',
        'a@127.0.0.1',
        `${'a'.repeat(244)}@example.com`,
        `${'a'.repeat(245)}@example.com`,
        'a@example.com,b@example.com',
        'A <a@example.com>',
      ]) {
        await post(target, '/signup', { email, password });
        await post(target, '/recover', { email });
        await post(target, '/token?grant_type=password', { email, password });
      }
      for (const phone of [
        '+',
        '1',
        '12',
        '+15550001',
        '++15550001',
        '1-555-0001',
        '1 5 5 5',
        '1555000100000000',
      ]) {
        await post(target, '/signup', { phone, password });
        await post(target, '/otp', { phone });
        await post(target, '/token?grant_type=password', { phone, password });
      }
    },
  },
];
