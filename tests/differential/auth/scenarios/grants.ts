import {
  challenge,
  member,
  noId,
  password,
  post,
  refresh,
  type Scenario,
  signIn,
  verifier,
} from './scenario.ts';

/** POST /token of every kind. */
export const grants: readonly Scenario[] = [
  {
    name: 'sign-in by password',
    profiles: ['confirmations', 'closed', 'strict', 'hooks'],
    async run(target) {
      const { id } = await member(target, 'one@example.com', { phone: '15550001', phone_confirm: true });
      const body = { email: 'one@example.com', password };
      await post(target, '/token?grant_type=password', body);
      await post(target, '/token?grant_type=password', { phone: '15550001', password });
      await post(target, '/token?grant_type=password', { ...body, password: 'wrong' });
      await post(target, '/token?grant_type=password', { ...body, password: '' });
      await post(target, '/token?grant_type=password', { ...body, password: 'x'.repeat(80) });
      await post(target, '/token?grant_type=password', { email: 'nobody@example.com', password });
      await post(target, '/token?grant_type=password', { phone: '15559999', password });
      await post(target, '/token?grant_type=password', { email: ' one@example.com', password });
      await post(target, '/token?grant_type=nonsense', body);
      await post(target, '/token?grant_type=', body);
      await post(target, '/token?grant_type=PASSWORD', body);
      await post(target, '/token?grant_type=password&grant_type=refresh_token', body);
      await target.ask('stale bearer', 'POST', '/token?grant_type=password', { body, token: 'x.y.z' });
      const admin = (step: string, change: unknown) =>
        target.ask(step, 'PUT', `/admin/users/${id}`, { token: target.serviceKey, body: change });
      await admin('ban', { ban_duration: '1h' });
      await post(target, '/token?grant_type=password', body);
      await post(target, '/token?grant_type=password', { ...body, password: 'wrong' });
      await admin('unban', { ban_duration: 'none' });
      await signIn(target, 'one@example.com');
      await member(target, 'unconfirmed@example.com', { email_confirm: false });
      await signIn(target, 'unconfirmed@example.com', 'wrong');
      await target.exec("update auth.users set encrypted_password = null where email = 'one@example.com'");
      await signIn(target, 'one@example.com');
      await target.exec("update auth.users set encrypted_password = '' where email = 'one@example.com'");
      await signIn(target, 'one@example.com', '');
    },
  },
  {
    name: 'refresh',
    profiles: ['confirmations', 'strict', 'hooks'],
    async run(target) {
      const { session, id } = await member(target, 'one@example.com');
      const first = session.refresh_token;
      const second = (await refresh(target, 'first', first)).json;
      await refresh(target, 'parent of the active', first);
      const third = (await refresh(target, 'second', second.refresh_token)).json;
      await refresh(target, 'grand-parent, at once', first);
      const passHour = () =>
        target.exec(
          "update auth.refresh_tokens set updated_at = updated_at - interval '1 hour'; update auth.sessions set refreshed_at = refreshed_at - interval '1 hour'",
        );
      await passHour();
      await refresh(target, 'grand-parent, late', first);
      await refresh(target, 'one between, late', second.refresh_token);
      // At once upstream would take tokens of the revoked family once more.
      await passHour();
      await refresh(target, 'what was active', third.refresh_token);
      for (const token of [
        '',
        'x',
        'abcdefghijkl',
        'ABCDEFGHIJKL',
        'abcdefghijk_',
        'a'.repeat(60),
        `${first}x`,
      ]) {
        await refresh(target, `nonsense ${token.length}`, token);
      }
      const other = await signIn(target, 'one@example.com');
      const banned = { token: target.serviceKey, body: { ban_duration: '1h' } };
      await target.ask('ban', 'PUT', `/admin/users/${id}`, banned);
      await refresh(target, 'banned', other?.refresh_token);
      await target.ask('unban', 'PUT', `/admin/users/${id}`, {
        ...banned,
        body: { ban_duration: 'none' },
      });
      const gone = await signIn(target, 'one@example.com');
      await target.ask('out', 'POST', '/logout', { token: gone?.access_token });
      await refresh(target, 'signed out', gone?.refresh_token);
      const ended = await signIn(target, 'one@example.com');
      await target.exec("update auth.sessions set not_after = now() - interval '1 minute'");
      await refresh(target, 'past its end', ended?.refresh_token);
      await target.ask('user past its end', 'GET', '/user', { token: ended?.access_token });
      const orphan = await signIn(target, 'one@example.com');
      await target.exec('update auth.refresh_tokens set session_id = null');
      await refresh(target, 'without a session', orphan?.refresh_token);
    },
  },
  {
    name: 'two sessions of one user',
    profiles: ['confirmations', 'strict'],
    async run(target) {
      const { session } = await member(target, 'one@example.com');
      const later = await signIn(target, 'one@example.com');
      await refresh(target, 'the older', session.refresh_token);
      await refresh(target, 'the newer', later?.refresh_token);
      const third = await signIn(target, 'one@example.com');
      await target.ask('others', 'POST', '/logout?scope=others', { token: third?.access_token });
      await refresh(target, 'one of the others', later?.refresh_token);
      await target.ask('user of the others', 'GET', '/user', { token: later?.access_token });
      await target.ask('local', 'POST', '/logout?scope=local', { token: third?.access_token });
      await target.ask('user of the local', 'GET', '/user', { token: third?.access_token });
      for (const scope of ['global', 'x', '', 'LOCAL']) {
        const again = await signIn(target, 'one@example.com');
        await target.ask(`scope ${scope}`, 'POST', `/logout?scope=${scope}`, { token: again?.access_token });
      }
    },
  },
  {
    name: 'codes of PKCE',
    profiles: ['confirmations'],
    async run(target) {
      const { id } = await member(target, 'one@example.com');
      const begin = async (more: Readonly<Record<string, string>> = {}) => {
        await post(target, '/otp', { email: 'one@example.com', ...challenge, ...more });
        const { query } = await target.mail('one@example.com');
        const { headers } = await target.ask('follow', 'GET', `/verify${query}`);
        return new URL(headers.get('location') ?? 'http://none/').searchParams.get('code');
      };
      const exchange = (step: string, auth_code: unknown, code_verifier: unknown) =>
        target.ask(step, 'POST', '/token?grant_type=pkce', { body: { auth_code, code_verifier } });
      const code = await begin();
      await exchange('no verifier', code, '');
      await exchange('no code', '', verifier);
      await exchange('wrong verifier', code, 'x'.repeat(64));
      await exchange('the challenge itself', code, challenge.code_challenge);
      await exchange('right', code, verifier);
      await exchange('again', code, verifier);
      await exchange('unknown', noId, verifier);
      await exchange('no uuid', 'x', verifier);
      const plain = { code_challenge: 'p'.repeat(50), code_challenge_method: 'plain' };
      await exchange('plain', await begin(plain), 'p'.repeat(50));
      await exchange('method in capitals', await begin({ code_challenge_method: 'S256' }), verifier);
      const old = await begin();
      await target.exec("update auth.flow_state set created_at = now() - interval '1 hour'");
      await exchange('old, but just handed out', old, verifier);
      for (const [challengeText, method] of [
        ['x', 's256'],
        ['x'.repeat(42), 's256'],
        ['x'.repeat(129), 's256'],
        [`${'x'.repeat(42)}!`, 's256'],
        ['x'.repeat(43), ''],
        ['', 's256'],
      ]) {
        const body = { code_challenge: challengeText, code_challenge_method: method };
        for (const path of ['/otp', '/recover', '/magiclink']) {
          await post(target, path, { email: 'one@example.com', ...body });
        }
        await post(target, '/signup', { email: 'two@example.com', password, ...body });
        await post(target, '/resend', { type: 'signup', email: 'one@example.com', ...body });
      }
      const banned = await begin();
      const ban = { token: target.serviceKey, body: { ban_duration: '1h' } };
      await target.ask('ban', 'PUT', `/admin/users/${id}`, ban);
      await target.ask('banned', 'POST', '/otp', { body: { email: 'one@example.com' } });
      const { query } = await target.mail('one@example.com');
      await target.ask('follow banned', 'GET', `/verify${query}`);
      await target.exec(`delete from auth.flow_state where auth_code = '${banned ?? noId}'`);
    },
  },
  {
    name: 'grants of providers and wallets, refused',
    profiles: ['confirmations', 'closed'],
    async run(target) {
      for (const body of [
        {},
        { id_token: 'x' },
        { provider: 'google' },
        { id_token: 'x', provider: 'google' },
        { id_token: 'x', provider: 'github' },
        { id_token: 'x', provider: 'apple' },
        { id_token: 'x', provider: 'nonsense' },
        { id_token: 'x', client_id: 'y' },
        { id_token: 'x', issuer: 'y' },
        { id_token: 'x', client_id: 'y', issuer: 'https://accounts.google.com' },
        { id_token: 'x', provider: 'google', link_identity: true },
      ]) {
        await post(target, '/token?grant_type=id_token', body);
      }
      for (const body of [
        {},
        { chain: 'x' },
        { chain: 'solana' },
        { chain: 'ethereum' },
        { chain: 'solana', message: 'x', signature: 'y' },
        { chain: 'solana', message: 'x'.repeat(70), signature: 'y' },
        { chain: 'solana', message: 'x'.repeat(70), signature: Buffer.alloc(64).toString('base64') },
        { chain: 'ethereum', message: 'x'.repeat(70), signature: 'y' },
        { chain: 'ethereum', message: 'x'.repeat(70), signature: `0x${'0'.repeat(130)}` },
        { chain: 'ethereum', message: 'x'.repeat(20481), signature: `0x${'0'.repeat(130)}` },
      ]) {
        await target.ask(JSON.stringify(body).slice(0, 120), 'POST', '/token?grant_type=web3', { body });
      }
    },
  },
];
