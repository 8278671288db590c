import { member, newVersion, noId, password, post, type Scenario, signIn } from './scenario.ts';

/** What admins do with users. */
export const administration: readonly Scenario[] = [
  {
    name: 'pages of users',
    profiles: ['confirmations'],
    async run(target) {
      const token = target.serviceKey;
      const get = (path: string, headers = {}) => target.ask(path, 'GET', path, { token, headers });
      await get('/admin/users');
      await get('/admin/users?page=2');
      for (let i = 1; i <= 12; i++) {
        const body = { email: `user${i}@example.com`, user_metadata: { full_name: `Full Name ${i}` } };
        await target.ask(`make ${i}`, 'POST', '/admin/users', { token, body });
      }
      for (const query of [
        '',
        '?page=',
        '?page=&per_page=',
        '?page=1&per_page=5',
        '?page=2&per_page=5',
        '?page=3&per_page=5',
        '?page=4&per_page=5',
        '?page=1&per_page=1',
        '?page=6&per_page=1',
        '?page=12&per_page=1',
        '?page=0',
        '?page=-1',
        '?page=x',
        '?per_page=x',
        '?per_page=0',
        '?per_page=-1',
        '?per_page=100000',
        '?page=99999999999999999999',
        '?sort=created_at asc',
        '?sort=created_at desc',
        '?sort=created_at',
        '?sort=created_at up',
        '?sort=email asc',
        '?sort=created_at asc,email desc',
        '?filter=user1',
        '?filter=USER1',
        '?filter=full name 2',
        '?filter=%25',
        '?filter=_',
        '?filter=nobody&page=1',
      ]) {
        await get(`/admin/users${query}`);
        await get(`/admin/audit${query}`);
      }
      for (const query of [
        'action:user_signedup',
        'author:service',
        'type:team',
        'x:y',
        'action',
        'action:',
        ':x',
      ]) {
        await get(`/admin/audit?query=${query}`);
      }
      await get('/admin/users', { 'x-jwt-aud': 'elsewhere' });
    },
  },
  {
    name: 'users made, changed and deleted by admins',
    profiles: ['confirmations', 'autoconfirm', 'strict', 'hooks'],
    async run(target) {
      const token = target.serviceKey;
      const admin = (step: string, method: string, path: string, body?: unknown) =>
        target.ask(step, method, path, { token, ...(body === undefined ? {} : { body }) });
      const make = async (step: string, body: unknown) =>
        (await admin(step, 'POST', '/admin/users', body)).json;
      await make('plain', { email: 'One@example.com' });
      const two = await make('phone', { phone: '+1 555 0001', phone_confirm: true, password });
      await make('both', { email: 'both@example.com', phone: '15550002', password, email_confirm: true });
      await make('with id', { email: 'id@example.com', id: noId });
      await make('same id', { email: 'id2@example.com', id: noId });
      await make('nil id', { email: 'id3@example.com', id: '00000000-0000-0000-0000-000000000000' });
      await make('old id', { email: 'id4@example.com', id: '6ba7b810-9dad-11d1-80b4-00c04fd430c8' });
      await make('id without dashes', { email: 'id5@example.com', id: noId.replaceAll('-', '') });
      await make('role', { email: 'role@example.com', role: 'editor', aud: 'elsewhere' });
      const bcrypt = '$2y$10$SXEz2HeT8PUIGQXo9yeUIem8KzNxgG0d7o/.eGj2rj8KbRgAuRVlq';
      const argon =
        '$argon2id$v=19$m=32,t=3,p=2$SFVpOWJ0eXhjRzVkdGN1RQ$RXnb8rh7LaDcn07xsssqqulZYXOM/EUCEFMVcAcyYVk';
      await make('bcrypt', { email: 'bcrypt@example.com', password_hash: bcrypt, email_confirm: true });
      await make('argon', { email: 'argon@example.com', password_hash: argon, email_confirm: true });
      await make('bad hash', { email: 'hash@example.com', password_hash: '$1$x' });
      await signIn(target, 'bcrypt@example.com', 'test');
      await signIn(target, 'argon@example.com', 'test');
      await signIn(target, 'argon@example.com', 'wrong');
      await make('weak', { email: 'weak@example.com', password: 'x' });
      await make('empty password', { email: 'empty@example.com', password: '' });
      await make('bad email', { email: 'nonsense' });
      await make('bad phone', { phone: 'nonsense' });
      for (const ban of ['1h', '24h30m', '-1h', '0', 'none', 'x', '1', '1d', '87600h']) {
        await make(`ban ${ban}`, { email: `ban${ban}@example.com`, ban_duration: ban });
      }
      await make('metadata', {
        email: 'meta@example.com',
        user_metadata: { a: 1, b: null },
        app_metadata: { c: 1, provider: 'x', providers: ['y'] },
      });
      const path = `/admin/users/${two?.id}`;
      await admin('get', 'GET', path);
      await admin('nothing', 'PUT', path, {});
      await admin('metadata', 'PUT', path, { user_metadata: { a: 1 }, app_metadata: { b: 2 } });
      await admin('metadata away', 'PUT', path, { user_metadata: { a: null }, app_metadata: { b: null } });
      await admin('email', 'PUT', path, { email: 'New@example.com' });
      await admin('email confirmed', 'PUT', path, { email: 'new2@example.com', email_confirm: true });
      await admin('phone', 'PUT', path, { phone: '15550003', phone_confirm: true });
      await admin('taken email', 'PUT', path, { email: 'both@example.com' });
      await admin('taken phone', 'PUT', path, { phone: '15550002' });
      await admin('bad email', 'PUT', path, { email: 'nonsense' });
      await admin('bad phone', 'PUT', path, { phone: 'nonsense' });
      await admin('password', 'PUT', path, { password: 'Another-horse-1' });
      await admin('weak password', 'PUT', path, { password: 'x' });
      await admin('long password', 'PUT', path, { password: `A1${'x'.repeat(71)}` });
      await admin('role', 'PUT', path, { role: 'editor' });
      await admin('ban', 'PUT', path, { ban_duration: '1h' });
      await admin('unban', 'PUT', path, { ban_duration: 'none' });
      await admin('bad ban', 'PUT', path, { ban_duration: 'x' });
      await admin('soft', 'DELETE', path, { should_soft_delete: true });
      await admin('soft again', 'DELETE', path, { should_soft_delete: true });
      await admin('get deleted', 'GET', path);
      await admin('hard', 'DELETE', path);
      await admin('hard again', 'DELETE', path);
      await admin('bad body', 'DELETE', `/admin/users/${noId}`, '{');
      await admin('empty object', 'DELETE', `/admin/users/${noId}`, {});
    },
  },
  {
    name: 'invitations',
    profiles: ['confirmations', 'autoconfirm', 'closed', 'hooks'],
    async run(target) {
      const token = target.serviceKey;
      const invite = (step: string, body: unknown, path = '/invite') =>
        target.ask(step, 'POST', path, { token, body });
      await invite('invite', { email: 'One@example.com', data: { a: 1, b: null } });
      await invite('again', { email: 'one@example.com', data: { c: 1 } });
      await invite('redirect', { email: 'two@example.com' }, '/invite?redirect_to=https://app.example.com/x');
      await invite('nothing', {});
      await invite('bad', { email: 'nonsense' });
      await member(target, 'three@example.com');
      await invite('confirmed', { email: 'three@example.com' });
      await target.ask('new version', 'POST', '/invite', {
        token,
        body: { email: 'three@example.com' },
        headers: newVersion,
      });
      await post(target, '/signup', { email: 'one@example.com', password, data: { d: 1 } });
      await signIn(target, 'one@example.com');
      await post(target, '/resend', { type: 'signup', email: 'one@example.com' });
    },
  },
];
