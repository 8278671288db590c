import { expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { type AuthInstance, startAuth } from '../../support/auth.ts';

const auth = await startAuth({
  env: { GOTRUE_MAILER_AUTOCONFIRM: 'false', GOTRUE_SMTP_MAX_FREQUENCY: '0s' },
});
const silent = await startAuth({ env: { GOTRUE_AUDIT_LOG_DISABLE_POSTGRES: 'true' } });

const email = 'logged@example.com';
const password = 'correct horse';
type Entry = { readonly action: string; readonly log_type: string; readonly actor_username: string };
const entries = ({ database }: AuthInstance) =>
  database.owner.query<Entry>(sql`
    select payload ->> 'action' as action, payload ->> 'log_type' as log_type,
      payload ->> 'actor_username' as actor_username
    from auth.audit_log_entries order by created_at, ctid`);
const post = (path: string, body: object) => auth.call('POST', path, { body });

it('what happens to an account is recorded, with who did it and under which heading', async () => {
  await post('/signup', { email, password, data: { full_name: 'Ann' } });
  const { link } = await auth.nextMail(email);
  await auth.call('GET', `/verify${link.search}`);
  const { json } = await post('/token?grant_type=password', { email, password });
  const refreshed = await post('/token?grant_type=refresh_token', { refresh_token: json.refresh_token });
  const token = refreshed.json.access_token;
  await auth.call('PUT', '/user', { token, body: { data: { a: 1 } } });
  await auth.call('PUT', '/user', { token, body: { password: 'another horse' } });
  await post('/recover', { email });
  await post('/signup', { email, password });
  await auth.call('POST', '/logout', { token });
  await auth.call('DELETE', `/admin/users/${json.user.id}`, { token: auth.serviceKey });
  expect((await entries(auth)).map(({ action, log_type }) => [action, log_type])).toEqual([
    ['user_confirmation_requested', 'user'],
    ['user_signedup', 'team'],
    ['login', 'account'],
    ['token_refreshed', 'token'],
    ['token_revoked', 'token'],
    ['user_modified', 'user'],
    ['user_updated_password', 'user'],
    ['user_modified', 'user'],
    ['user_recovery_requested', 'user'],
    ['user_repeated_signup', 'user'],
    ['logout', 'account'],
    ['user_deleted', 'team'],
  ]);
  const actors = new Set((await entries(auth)).map(({ actor_username }) => actor_username));
  expect([...actors]).toEqual([email, 'service_role']);
});

it('the log is read in pages, newest first, and searched by action, kind or person', async () => {
  const read = async (query: string) =>
    (await auth.call('GET', `/admin/audit${query}`, { token: auth.serviceKey })).json;
  const all = await read('');
  expect(all).toHaveLength(12);
  expect(all[0].payload).toMatchObject({ action: 'user_deleted', traits: { user_email: email } });
  expect(await read('?page=2&per_page=5')).toEqual(all.slice(5, 10));
  const found = async (query: string) =>
    (await read(`?query=${encodeURIComponent(query)}`)).map(
      ({ payload }: { payload: { action: string } }) => payload.action,
    );
  expect(await found('action:logout')).toEqual(['logout']);
  expect(await found('type:token')).toEqual(expect.arrayContaining(['token_refreshed', 'token_revoked']));
  expect(await found('author:Ann')).toHaveLength(11);
  expect(await found('action:nothing')).toEqual([]);
});

it('nothing is recorded where the log is off', async () => {
  const body = { email, password };
  const { json } = await silent.call('POST', '/signup', { body });
  await silent.call('POST', '/token?grant_type=refresh_token', {
    body: { refresh_token: json.refresh_token },
  });
  expect(await entries(silent)).toEqual([]);
});
