import { challenge, member, password, post, type Scenario, signIn } from './scenario.ts';

/** What users change about themselves. */
export const userChanges: readonly Scenario[] = [
  {
    name: 'changes of data and password',
    profiles: ['confirmations', 'autoconfirm', 'strict', 'hooks'],
    async run(target) {
      const { token, session } = await member(target, 'one@example.com');
      const other = await signIn(target, 'one@example.com');
      const put = (step: string, body: unknown, given = token) =>
        target.ask(step, 'PUT', '/user', { token: given, body });
      await put('data', { data: { name: null, city: 'X', nested: { a: 1 } } });
      await put('data again', { data: { nested: { b: 2 }, email: 'x@y.z', sub: 'x' } });
      await put('empty data', { data: {} });
      await put('role', { role: 'service_role', aud: 'x', id: 'x', email_confirm: true, ban_duration: '1h' });
      await put('app metadata', { app_metadata: { a: 1 } });
      await put('empty app metadata', { app_metadata: {} });
      await put('same password', { password });
      await put('same password, current', { password, current_password: password });
      await put('password', { password: 'Another-horse-1' });
      await put('password, wrong current', { password: 'Another-horse-1', current_password: 'x' });
      await put('password, right current', { password: 'Another-horse-2', current_password: password });
      await target.ask('user', 'GET', '/user', { token });
      await target.ask('user elsewhere', 'GET', '/user', { token: other?.access_token });
      await target.ask('refresh here', 'POST', '/token?grant_type=refresh_token', {
        body: { refresh_token: session?.refresh_token },
      });
      await signIn(target, 'one@example.com', 'Another-horse-1');
      await signIn(target, 'one@example.com', 'Another-horse-2');
      await put('by an admin', { app_metadata: { a: 1 } }, target.serviceKey);
      await put('nothing', {});
      await put('same email', { email: 'one@example.com' });
      await put('same email in capitals', { email: 'ONE@example.com' });
      await put('empty email', { email: '' });
      await put('nonce without password', { nonce: '123456' });
    },
  },
  {
    name: 'changes of an address',
    profiles: ['confirmations', 'autoconfirm', 'closed', 'strict', 'hooks'],
    async run(target) {
      const { token } = await member(target, 'one@example.com');
      await member(target, 'taken@example.com', { phone: '15550003', phone_confirm: true });
      const put = (step: string, body: unknown, query = '') =>
        target.ask(step, 'PUT', `/user${query}`, { token, body });
      await put('taken', { email: 'taken@example.com' });
      await put('taken in capitals', { email: 'TAKEN@example.com' });
      await put('free', { email: 'Two@Example.com' }, '?redirect_to=https://app.example.com/changed');
      await post(target, '/resend', { type: 'email_change', email: 'one@example.com' });
      await post(target, '/resend', { type: 'email_change', email: 'two@example.com' });
      await target.ask('user between', 'GET', '/user', { token });
      await put('another', { email: 'three@example.com' });
      await put('by PKCE', { email: 'four@example.com', ...challenge });
      await put('phone', { phone: '+15550001' });
      await put('phone taken', { phone: '15550003' });
      await put('phone, bad channel', { phone: '15550002', channel: 'x' });
      await post(target, '/verify', { type: 'phone_change', phone: '15550001', token: '000000' });
      await post(target, '/verify', { type: 'phone_change', phone: '15550001', token: '111111' });
      await put('both', { email: 'five@example.com', phone: '15550002' });
      await post(target, '/resend', { type: 'phone_change', phone: '15550002' });
      await target.ask('user at last', 'GET', '/user', { token });
    },
  },
  {
    name: 'both confirmations of a change, in either order',
    profiles: ['confirmations'],
    async run(target) {
      for (const [from, to, order] of [
        ['a1@example.com', 'b1@example.com', 'old first'],
        ['a2@example.com', 'b2@example.com', 'new first'],
        ['a3@example.com', 'b3@example.com', 'the same twice'],
      ] as const) {
        const { token } = await member(target, from);
        await target.ask(`change ${order}`, 'PUT', '/user', { token, body: { email: to } });
        const [old, fresh] = [await target.mail(from), await target.mail(to)];
        const [one, two] =
          order === 'new first' ? [fresh, old] : order === 'old first' ? [old, fresh] : [old, old];
        await target.ask(`first ${order}`, 'GET', `/verify${one.query}`);
        await target.ask(`user ${order}`, 'GET', '/user', { token });
        await target.ask(`second ${order}`, 'GET', `/verify${two.query}`);
        await target.ask(`user after ${order}`, 'GET', '/user', { token });
        await signIn(target, to);
      }
      const { token } = await member(target, 'a4@example.com');
      await target.ask('change by codes', 'PUT', '/user', { token, body: { email: 'b4@example.com' } });
      const [old, fresh] = [await target.mail('a4@example.com'), await target.mail('b4@example.com')];
      await post(target, '/verify', { type: 'email_change', email: 'a4@example.com', token: fresh.code });
      await post(target, '/verify', { type: 'email_change', email: 'b4@example.com', token: fresh.code });
      await post(target, '/verify', { type: 'email_change', email: 'a4@example.com', token: old.code });
    },
  },
  {
    name: 'reauthentication',
    profiles: ['confirmations', 'autoconfirm', 'strict', 'hooks'],
    async run(target) {
      const { token } = await member(target, 'one@example.com');
      await target.ask('ask', 'GET', '/reauthenticate', { token });
      await target.ask('ask again', 'GET', '/reauthenticate', { token });
      await target.ask('wrong', 'PUT', '/user', {
        token,
        body: { password: 'Another-horse-1', nonce: '000000' },
      });
      const { token: phone } = await member(target, 'two@example.com', { phone: '15550001' });
      await target.exec("update auth.users set email = null where email = 'two@example.com'");
      await target.ask('by an unconfirmed phone', 'GET', '/reauthenticate', { token: phone });
      await target.exec("update auth.users set phone_confirmed_at = now() where phone = '15550001'");
      await target.ask('by phone', 'GET', '/reauthenticate', { token: phone });
      const anonymous = (await post(target, '/signup', {})).json;
      await target.ask('by nobody', 'GET', '/reauthenticate', { token: anonymous?.access_token });
    },
  },
];
