import { beforeAll, describe, expect, it } from 'vitest';
import { findInConfig, knownProviders } from '../../../../src/compat/scan/config.ts';
import { findInSql } from '../../../../src/compat/scan/sql/find.ts';
import { loadSqlParser } from '../../../../src/compat/scan/sql/statements.ts';

beforeAll(loadSqlParser);

const uses = (text: string): string[] =>
  findInSql(text).findings.map(({ feature, line, what }) => `${line} ${feature} ${what}`);

describe('a scan of SQL', () => {
  it('tells extensions by whether the server has them', () => {
    expect(
      uses(
        'create extension pgcrypto;\n-- ü\ncreate extension if not exists vector;\ncreate extension pg_cron;',
      ),
    ).toEqual([
      '1 sql.extension pgcrypto',
      '3 sql.extension.external vector',
      '4 sql.extension.stand-in pg_cron',
    ]);
  });

  it('finds policies by the schema of their table, once', () => {
    expect(
      uses(`alter table films enable row level security;
create policy own on films using (owner = auth.uid());
create policy files on storage.objects for insert with check ((storage.foldername(name))[1] = 'a');
create policy talk on realtime.messages using (true);`),
    ).toEqual([
      '1 sql.rls enable row level security',
      '2 sql.policy own',
      '2 sql.auth-functions auth.uid',
      '3 sql.policy.storage files',
      '3 sql.storage-functions storage.foldername',
      '4 sql.policy.realtime talk',
    ]);
  });

  it('tells functions of the app in the schema auth from those of the platform', () => {
    expect(
      uses(`create function auth.is_admin() returns bool language sql as 'select auth.role() is not null';
create policy own on films using (auth.is_admin() and owner = auth.uid());`),
    ).toEqual([
      '1 sql.auth-own auth.is_admin',
      '1 sql.auth-functions auth.role',
      '2 sql.policy own',
      '2 sql.auth-own auth.is_admin',
      '2 sql.auth-functions auth.uid',
    ]);
  });

  it('finds the services that a function asks by their addresses', () => {
    expect(
      uses(`create function drop_file(path text) returns void language plpgsql as $$
begin
  perform extensions.http_delete('http://kong:8000/storage/v1/object/' || path);
end $$;`),
    ).toEqual(['3 sql.net extensions.http_delete', '3 storage.http /storage/v1/']);
  });

  it('finds triggers on auth.users, webhooks, jobs, requests and secrets', () => {
    expect(
      uses(`create trigger made after insert on auth.users for each row execute function handle();
create trigger hook after insert on films for each row execute function supabase_functions.http_request('http://a', 'POST');
select cron.schedule('a', '* * * * *', 'select 1');
select net.http_post('http://a');
select vault.create_secret('a');
insert into storage.buckets (id, name) values ('a', 'a');
create table own (id uuid references auth.users);
alter publication supabase_realtime add table own;
create role reader;`),
    ).toEqual([
      '1 sql.trigger.auth-users made',
      '2 sql.webhook hook',
      '3 sql.cron cron.schedule',
      '4 sql.net net.http_post',
      '5 sql.vault vault.create_secret',
      '6 sql.storage-tables storage.buckets',
      '7 sql.auth-tables auth.users',
      '8 sql.publication supabase_realtime',
      '9 sql.roles create role reader',
    ]);
  });

  it('looks into bodies of functions, and says where', () => {
    expect(
      uses(`create function f() returns void language plpgsql as $$
begin
  -- net.http_get('no')
  insert into auth.users (id) values (gen_random_uuid());
  perform extensions.http(null);
end $$;
create function g() returns int language plv8 as 'return 1';`),
    ).toEqual(['4 sql.auth-tables auth.users', '5 sql.net extensions.http', '7 sql.language plv8']);
  });

  it('reads empty files and psql commands, and names what is no SQL', () => {
    expect(findInSql('-- nothing\n')).toEqual({ findings: [], problem: null });
    expect(findInSql('\\restrict abc\ncreate role a;').problem).toBeNull();
    expect(findInSql('select 1;\nselekt 2;').problem?.line).toBe(2);
  });
});

describe('a scan of config.toml', () => {
  it('names what is turned on, with its line', () => {
    const found = findInConfig(`[auth.external.github]
enabled = true
[auth.external.myspace]
enabled = true
[auth.external.google]
enabled = false
[auth.hook.custom_access_token]
enabled = true
uri = "pg-functions://postgres/public/hook"
[functions.hello]
verify_jwt = true
[db]
nonsense = 1
`);
    expect(found.map(({ feature, line, what }) => `${line} ${feature} ${what}`)).toEqual([
      '1 config.provider auth.external.github',
      '3 config.provider.unknown auth.external.myspace',
      '7 config.hook auth.hook.custom_access_token',
      '10 functions.source functions.hello',
      '13 config.unknown db.nonsense',
    ]);
    expect(knownProviders.has('keycloak')).toBe(true);
  });
});
