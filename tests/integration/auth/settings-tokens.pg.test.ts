import { decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';

/*
 * What the settings of tokens, sessions and requests do, by upstream's names, each set to something that no default says.
 */
const named = await startAuth({
  env: {
    GOTRUE_JWT_AUD: 'members',
    GOTRUE_JWT_DEFAULT_GROUP_NAME: 'member',
    GOTRUE_JWT_ADMIN_ROLES: 'boss,service_role',
    GOTRUE_JWT_EXP: '77',
    GOTRUE_JWT_ISSUER: 'https://issuer.example.com',
    GOTRUE_JWT_KEY_ID: 'first-key',
    REQUEST_ID_HEADER: 'x-trace',
    GOTRUE_SECURITY_SB_FORWARDED_FOR_ENABLED: 'true',
    GOTRUE_EXPERIMENTAL_CURSOR_PAGINATION_ENABLED: 'true',
  },
});
const [standby, signing] = await Promise.all(
  ['standby', 'signing'].map(async (kid) => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const operations = kid === 'signing' ? ['sign', 'verify'] : ['verify'];
    return { ...(await exportJWK(privateKey)), kid, alg: 'ES256', key_ops: operations };
  }),
);
const rotated = await startAuth({ env: { GOTRUE_JWT_KEYS: JSON.stringify([standby, signing]) } });
const asymmetricOnly = await startAuth({ env: { GOTRUE_JWT_VALIDMETHODS: 'ES256,RS256' } });
const reusing = await startAuth({
  env: {
    GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION: '2',
    GOTRUE_SECURITY_REFRESH_TOKEN_ALLOW_REUSE: 'true',
    GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL: '0',
  },
});
const seen: string[] = [];
const late = await startAuth({
  env: {
    GOTRUE_API_MAX_REQUEST_DURATION: '150ms',
    GOTRUE_PASSWORD_HIBP_ENABLED: 'true',
    GOTRUE_PASSWORD_HIBP_USER_AGENT: 'Our Shop',
  },
  fetch: (_, init) => {
    seen.push(new Headers(init?.headers).get('user-agent') ?? '');
    return new Promise(() => {});
  },
});
const cleaning = await startAuth({
  env: {
    GOTRUE_DB_CLEANUP_ENABLED: 'true',
    GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED: 'true',
    GOTRUE_SESSIONS_TIMEBOX: '1h',
    GOTRUE_SESSIONS_INACTIVITY_TIMEOUT: '1h',
  },
});

const password = 'correct horse';
let people = 0;
const signUp = async (instance = named, headers: Record<string, string> = {}) =>
  (
    await instance.call('POST', '/signup', {
      body: { email: `settings${++people}@example.com`, password },
      headers,
    })
  ).json;

describe('settings of tokens', () => {
  it('say audience, role, lifetime, issuer and key id', async () => {
    const { access_token, expires_in, user } = await signUp();
    expect(decodeProtectedHeader(access_token).kid).toBe('first-key');
    expect([decodeJwt(access_token), expires_in, user]).toMatchObject([
      { aud: 'members', role: 'member', iss: 'https://issuer.example.com' },
      77,
      { aud: 'members', role: 'member' },
    ]);
    expect((await named.call('GET', '/user', { token: access_token })).json.id).toBe(user.id);
  });

  it('say whose tokens are an admin’s', async () => {
    const list = async (role: string) =>
      (await named.call('GET', '/admin/users', { token: await named.sign({ role }) })).status;
    expect([await list('boss'), await list('service_role'), await list('supabase_admin')]).toEqual([
      200, 200, 403,
    ]);
  });

  it('say which of several keys signs; the others are published and verify', async () => {
    const { access_token } = await signUp(rotated);
    expect(decodeProtectedHeader(access_token)).toMatchObject({ alg: 'ES256', kid: 'signing' });
    const { json } = await rotated.call('GET', '/.well-known/jwks.json');
    expect(json.keys.map((key: { kid: string; d?: string }) => [key.kid, key.d])).toEqual([
      ['standby', undefined],
      ['signing', undefined],
    ]);
  });

  it('say which algorithms are taken', async () => {
    const { status, json } = await asymmetricOnly.call('GET', '/admin/users', {
      token: asymmetricOnly.serviceKey,
    });
    expect([status, json.error_code, json.msg]).toEqual([
      403,
      'bad_jwt',
      'invalid JWT: unable to parse or verify signature, token signature is invalid: signing method HS256 is invalid',
    ]);
  });

  it('may take refresh tokens that were used, at any time', async () => {
    const { refresh_token } = await signUp(reusing);
    const refresh = (token: string) =>
      reusing.call('POST', '/token?grant_type=refresh_token', { body: { refresh_token: token } });
    const second = (await refresh(refresh_token)).json;
    await refresh(second.refresh_token);
    reusing.clock.advance(3600);
    expect((await refresh(refresh_token)).status).toBe(200);
  });

  it('refuse to start with two keys that sign', async () => {
    const keys = [signing, { ...signing, kid: 'another' }];
    await expect(startAuth({ env: { GOTRUE_JWT_KEYS: JSON.stringify(keys) } })).rejects.toThrow(
      'only one of the signing keys may have the operation sign',
    );
  });
});

describe('settings of requests', () => {
  it('say which header names a request in its errors', async () => {
    await named.database.owner.exec(`
      create function public.fail() returns trigger language plpgsql as $$ begin raise division_by_zero; end $$;
      create trigger fail before insert on auth.users for each row
        when (new.email like 'broken%') execute function public.fail();`);
    const { status, json } = await named.call('POST', '/signup', {
      body: { email: 'broken@example.com', password },
      headers: { 'x-trace': 'trace-17' },
    });
    expect([status, json.error_id]).toEqual([500, 'trace-17']);
  });

  it.each([
    ['198.51.100.7', '198.51.100.7'],
    ['2001:db8::1, 198.51.100.7', '2001:db8::1'],
    ['nonsense, 198.51.100.7', '127.0.0.1'],
    ['', '127.0.0.1'],
  ])('take the client’s address from Sb-Forwarded-For %j', async (header, address) => {
    const { access_token } = await signUp(named, { 'sb-forwarded-for': header });
    const [row] = await named.database.owner.query<{ ip: string }>(
      sql`select host(ip) as ip from auth.sessions where id = ${String(decodeJwt(access_token).session_id)}`,
    );
    expect(row?.ip).toBe(address);
  });

  it('count by that address, without any header for limits', async () => {
    const ask = async () =>
      (
        await named.call('POST', '/verify', {
          body: { type: 'email', email: 'a@example.com', token: '1' },
          headers: { 'sb-forwarded-for': '198.51.100.99' },
        })
      ).status;
    const answers = await Promise.all(Array.from({ length: 33 }, ask));
    expect(answers.filter((status) => status === 429)).toHaveLength(3);
  });

  it('say how long a request may take, and by which name passwords are looked up', async () => {
    const { status, json } = await late.call('POST', '/signup', {
      body: { email: 'late@example.com', password },
    });
    expect([status, json.error_code, json.msg]).toEqual([
      504,
      'request_timeout',
      'Processing this request timed out, please retry after a moment.',
    ]);
    expect(seen).toEqual(['Our Shop']);
  });
});

describe('a list of users by cursor', () => {
  const list = (query: string, token = named.serviceKey) =>
    named.call('GET', `/admin/users${query}`, { token, headers: { 'x-jwt-aud': 'readers' } });

  it('leads from part to part, either way, and leaves nobody out', async () => {
    for (const i of [1, 2, 3, 4, 5]) {
      await named.call('POST', '/admin/users', {
        token: named.serviceKey,
        body: { email: `reader${i}@example.com`, aud: 'readers' },
      });
    }
    for (const sort of ['', '&sort=created_at%20asc']) {
      const found: string[] = [];
      let next = `?limit=2${sort}`;
      for (let parts = 0; next !== '' && parts < 5; parts++) {
        const { json, headers } = await list(next);
        found.push(...json.users.map(({ email }: { email: string }) => email));
        const { next_cursor: cursor, has_more: hasMore } = json.pagination;
        expect([hasMore, headers.get('x-total-count')]).toEqual([cursor !== undefined, null]);
        next = hasMore ? `?limit=2${sort}&cursor=${cursor}` : '';
        const link = headers.get('link');
        expect(link).toEqual(hasMore ? expect.stringContaining(`cursor=${cursor}`) : null);
      }
      const order = [1, 2, 3, 4, 5].map((i) => `reader${i}@example.com`);
      expect(found).toEqual(sort === '' ? order.reverse() : order);
    }
  });

  it.each([
    ['?limit=0', 'limit must be greater than 0'],
    ['?limit=x', 'strconv.ParseUint: parsing "x": invalid syntax'],
    ['?cursor=%21', 'invalid cursor encoding: illegal base64 data at input byte 0'],
    ['?cursor=e30', 'invalid cursor: missing id'],
  ])('refuses %s', async (query, problem) => {
    const { status, json } = await list(query);
    expect([status, json.msg]).toEqual([400, `Bad Pagination Parameters: ${problem}`]);
  });

  it('goes by pages for those who ask for one', async () => {
    const { json, headers } = await list('?page=1');
    expect([json.pagination, headers.get('x-total-count')]).toEqual([undefined, '5']);
  });
});

describe('a database that is cleaned up', () => {
  const old = "now() - interval '40 days'";
  const count = async (table: string) => {
    const [row] = await cleaning.database.owner.query<{ count: number }>(
      sql`select count(*)::int from ${sql.ident('auth', table)}`,
    );
    return row?.count;
  };

  it('loses what is over while changes are made, and nothing else', async () => {
    const keep = await signUp(cleaning);
    await cleaning.call('POST', '/signup', { body: {} });
    const gone = await signUp(cleaning);
    await cleaning.database.owner.exec(`
      update auth.users set created_at = ${old} where is_anonymous;
      update auth.sessions set created_at = ${old} where user_id = '${gone.user.id}';
      insert into auth.flow_state (id, provider_type, authentication_method, created_at)
        values (gen_random_uuid(), 'github', 'oauth', ${old}), (gen_random_uuid(), 'github', 'oauth', now());
      insert into auth.mfa_factors (id, user_id, status, factor_type, created_at, updated_at)
        values (gen_random_uuid(), '${keep.user.id}', 'unverified', 'totp', ${old}, ${old}),
               (gen_random_uuid(), '${keep.user.id}', 'verified', 'totp', ${old}, ${old});
      insert into auth.refresh_tokens (token, revoked, updated_at, session_id)
        select 'revokedtoken', true, ${old}, id from auth.sessions where user_id = '${keep.user.id}';`);
    for (let i = 0; i < 20; i++) {
      await cleaning.call('PUT', '/user', { token: keep.access_token, body: { data: { i } } });
      await cleaning.drain();
    }
    const left: Record<string, number | undefined> = {};
    for (const table of ['users', 'sessions', 'flow_state', 'mfa_factors', 'refresh_tokens']) {
      left[table] = await count(table);
    }
    expect(left).toEqual({ users: 2, sessions: 1, flow_state: 1, mfa_factors: 1, refresh_tokens: 1 });
    expect((await cleaning.call('GET', '/user', { token: keep.access_token })).status).toBe(200);
  });
});
