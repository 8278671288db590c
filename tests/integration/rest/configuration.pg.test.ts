import { beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createRestApp } from '../../support/rest.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase(`
    create table words (id int primary key, word text, weight int);
    insert into words select i, 'word ' || i, i % 2 from generate_series(1, 5) i;
    create table "كلمات" (id int primary key, "نص" text);
    insert into "كلمات" values (1, 'مرحبا');
    create schema archive;
    grant usage on schema archive to anon;
    create table archive.words (id int primary key, year int);
    insert into archive.words values (1, 1927);
    create function check_client() returns void language plpgsql as $$
      begin
        if current_setting('request.headers', true)::json->>'x-client' = 'banned' then
          raise sqlstate 'PT403' using message = 'go away';
        end if;
        perform set_config('response.headers', '[{"X-Checked": "yes"}]', true);
      end $$;
    create function home() returns json language sql stable as $$ select json_build_object('hello', 'world') $$;
    create function settings() returns json language sql stable as $$
      select json_build_object('own', current_setting('app.settings.own', true),
        'timeout', current_setting('statement_timeout'), 'isolation', current_setting('transaction_isolation'),
        'read_only', current_setting('transaction_read_only')) $$;
    grant select on all tables in schema public, archive to anon;
    grant insert on words to anon;
  `);
});

describe('the most rows of an answer', () => {
  it('bind reads and embeds, and an estimate is exact up to them', async () => {
    const rest = await createRestApp(database, { maxRows: 2 });
    const read = await rest.call('GET', '/words?select=id&order=id&limit=4');
    expect(read.json()).toEqual([{ id: 1 }, { id: 2 }]);
    const counted = await rest.call('GET', '/words?id=lte.2', { headers: { prefer: 'count=estimated' } });
    expect(counted.headers['content-range']).toBe('0-1/2');
  });

  it('do not bind what a write gives back', async () => {
    const rest = await createRestApp(database, {
      maxRows: 1,
      transactionEnd: { rollback: true, allowOverride: false },
    });
    const headers = { prefer: 'return=representation' };
    const body = [{ id: 8 }, { id: 9 }];
    expect((await rest.call('POST', '/words?select=id', { headers, body })).json()).toEqual(body);
  });
});

describe('several schemas', () => {
  const schemas = ['public', 'archive'] as const;

  it('are chosen by profile headers, and the answer names the one that was', async () => {
    const rest = await createRestApp(database, { schemas });
    const first = await rest.call('GET', '/words?select=word&id=eq.1');
    expect(first.headers['content-profile']).toBe('public');
    const second = await rest.call('GET', '/words', { headers: { 'accept-profile': 'archive' } });
    expect(second.json()).toEqual([{ id: 1, year: 1927 }]);
    expect(second.headers['content-profile']).toBe('archive');
    const unknown = await rest.call('GET', '/words', { headers: { 'accept-profile': 'private' } });
    expect(unknown.status).toBe(406);
    expect(unknown.json()).toMatchObject({
      code: 'PGRST106',
      hint: 'Only the following schemas are exposed: public, archive',
    });
  });
});

describe('a function before each request', () => {
  it('may refuse it and may set headers of the answer', async () => {
    const rest = await createRestApp(database, { preRequest: { schema: 'public', name: 'check_client' } });
    const welcome = await rest.call('GET', '/words?id=eq.1&select=id');
    expect(welcome.json()).toEqual([{ id: 1 }]);
    expect(welcome.headers['x-checked']).toBe('yes');
    const banned = await rest.call('GET', '/words', { headers: { 'x-client': 'banned' } });
    expect(banned.status).toBe(403);
    expect(banned.json()).toMatchObject({ code: 'PT403', message: 'go away' });
  });
});

describe('the root', () => {
  it('may be answered by a function', async () => {
    const rest = await createRestApp(database, { rootSpec: { schema: 'public', name: 'home' } });
    expect((await rest.call('GET', '/')).json()).toEqual({ hello: 'world' });
  });
});

describe('settings', () => {
  it('of the service and of the role hold in each request, and reads are read-only', async () => {
    const rest = await createRestApp(database, {
      appSettings: [['app.settings.own', 'mine']],
      roleSettings: new Map([['anon', [['statement_timeout', '7s']] as const]]),
      roleIsolation: new Map([['anon', 'repeatable read']]),
    });
    expect((await rest.call('GET', '/rpc/settings')).json()).toEqual({
      own: 'mine',
      timeout: '7s',
      isolation: 'repeatable read',
      read_only: 'on',
    });
  });
});

describe('names of any script', () => {
  it('are relations and columns, and stand in headers as the bytes of their UTF-8', async () => {
    const rest = await createRestApp(database);
    const target = `/${encodeURIComponent('كلمات')}?${encodeURIComponent('نص')}=eq.${encodeURIComponent('مرحبا')}`;
    const answer = await rest.call('GET', target);
    expect(answer.json()).toEqual([{ id: 1, نص: 'مرحبا' }]);
    const place = Buffer.from(answer.headers['content-location'] ?? '', 'latin1').toString();
    expect(place).toBe(`/كلمات?${encodeURIComponent('نص')}=eq.${encodeURIComponent('مرحبا')}`);
  });
});

describe('a request in stages', () => {
  it('tells how long each took when asked to', async () => {
    const rest = await createRestApp(database, { serverTimingEnabled: true });
    const answer = await rest.call('GET', '/words');
    expect(answer.headers['server-timing']).toMatch(
      /^jwt;dur=[\d.]+, parse;dur=[\d.]+, plan;dur=[\d.]+, transaction;dur=[\d.]+, response;dur=[\d.]+$/,
    );
  });
});
