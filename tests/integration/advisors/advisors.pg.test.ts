import { afterAll, describe, expect, it } from 'vitest';
import { connect } from '../../../src/pg/connect.ts';
import { allAdvice, findAdvice } from '../../../src/platform/advisors/run.ts';
import { createTestDatabase } from '../../support/database.ts';

const database = await createTestDatabase(`
  -- faulty
  create table public.open_table (id int primary key, "Api-Key" text);
  grant select on public.open_table to anon;
  create table public.parent (id int primary key);
  create table public.child (parent int references public.parent, twice int, at regproc);
  alter table public.child enable row level security;
  create index child_one on public.child (twice);
  create index child_two on public.child (twice);
  create table public.guarded (id uuid primary key, owner uuid);
  alter table public.guarded enable row level security;
  create policy mine on public.guarded for select using (auth.uid() = owner);
  create policy all_of_it on public.guarded for all to authenticated using (true);
  create policy by_metadata on public.guarded for delete to anon
    using (((select auth.jwt()) -> 'user_metadata' ->> 'admin') = 'yes');
  create table public.idle_policies (id int primary key);
  create policy nobody on public.idle_policies using (false);
  create view public.people as select id, email from auth.users;
  create view public.owners_view as select id from public.parent;
  create materialized view public.stored as select id from public.parent;
  grant select on public.people, public.owners_view, public.stored to authenticated;
  revoke select on public.people from anon;
  create table public.by_mail (mail varchar references auth.users (phone));
  create function public.loose() returns int language sql as 'select 1';
  create extension citext schema public;
  create function public.raised(a int) returns int language sql security definer set search_path = '' as 'select 1';
  revoke execute on function public.raised from public, anon;
  create function public.offered() returns int language sql security definer set search_path = '' as 'select 1';
  insert into storage.buckets (id, name, public) values
    ('o''pen', 'o''pen', true), ('sealed', 'sealed', false), ('owned', 'owned', true);
  create policy lists on storage.objects for select using (bucket_id = 'o''pen');
  create policy lists_sealed on storage.objects for select using (bucket_id = 'sealed');
  create policy lists_own on storage.objects for select using (bucket_id = 'owned' and owner_id = auth.uid()::text);
  create table public.swollen (id int primary key, t text) with (autovacuum_enabled = off);
  insert into public.swollen select n, repeat('x', 1000) from generate_series(1, 25000) n;
  delete from public.swollen where id > 10;

  -- in order
  create table public.fine (id int primary key, parent int references public.parent, owner uuid);
  create index fine_parent on public.fine (parent, owner);
  alter table public.fine enable row level security;
  create policy readable on public.fine for select to anon, authenticated using (true);
  create policy writable on public.fine for insert to authenticated
    with check ((select auth.uid()) = owner and (select (auth.jwt() ->> 'role')) = 'x');
  create policy service on public.fine for all to service_role using (true);
  create view public.invokers with (security_invoker = on) as select id from public.fine;
  grant select on public.fine, public.invokers to anon;
  create function public.hidden() returns int language sql security definer set search_path = '' as 'select 1';
  revoke execute on function public.hidden from public, anon, authenticated;
  create function public.tight() returns int language sql set search_path = '' as 'select 1';
  create table public.unread (id int primary key, password text);
  revoke select on public.unread from anon, authenticated;
`);
const { owner } = database;
await owner.exec(`
  analyze public.swollen;
  create foreign data wrapper nowhere;
  create server away foreign data wrapper nowhere;
  create foreign table public.remote (id int) server away;
  grant select on public.remote to anon;
  create table pgmq.q_jobs (id int primary key);
  grant select on pgmq.q_jobs to anon;
`);
const client = await connect(database.url('supabase_admin'));
afterAll(async () => {
  await client.end();
  await owner.end();
});

const everything = { exposed: ['public', 'pgmq_public'], category: null, atLeast: 'INFO' } as const;
const findings = await findAdvice(client, everything);
const keys = (name: string): readonly string[] =>
  findings.filter((finding) => finding.name === name).map(({ cache_key }) => cache_key);

describe('db advisors', () => {
  it.each([
    ['auth_users_exposed', ['auth_users_exposed_public_people']],
    [
      'security_definer_view',
      ['security_definer_view_public_owners_view', 'security_definer_view_public_people'],
    ],
    ['rls_disabled_in_public', expect.arrayContaining(['rls_disabled_in_public_public_open_table'])],
    ['sensitive_columns_exposed', ['sensitive_columns_exposed_public_open_table']],
    ['materialized_view_in_api', ['materialized_view_in_api_public_stored']],
    ['foreign_table_in_api', ['foreign_table_in_api_public_remote']],
    ['insecure_queue_exposed_in_api', ['rls_disabled_in_public_pgmq_q_jobs']],
    ['policy_exists_rls_disabled', ['policy_exists_rls_disabled_public_idle_policies']],
    ['rls_enabled_no_policy', ['rls_enabled_no_policy_public_child']],
    ['rls_policy_always_true', ['rls_policy_always_true_public_guarded_all_of_it']],
    ['rls_references_user_metadata', ['rls_references_user_metadata_public_guarded_by_metadata']],
    ['function_search_path_mutable', [expect.stringMatching(/^function_search_path_mutable_public_loose_/)]],
    ['extension_in_public', ['extension_in_public_citext']],
    ['fkey_to_auth_unique', ['fkey_to_auth_unique_public_by_mail_by_mail_mail_fkey']],
    ['unsupported_reg_types', ['unsupported_reg_types_public_child_at']],
    ['auth_rls_initplan', ['auth_rls_init_plan_public_guarded_mine']],
    ['duplicate_index', ['duplicate_index_public_child_{child_one,child_two}']],
    ['public_bucket_allows_listing', ["public_bucket_allows_listing_o'pen"]],
    [
      'anon_security_definer_function_executable',
      ['anon_security_definer_function_executable_public_offered_'],
    ],
    [
      'authenticated_security_definer_function_executable',
      [
        'authenticated_security_definer_function_executable_public_offered_',
        'authenticated_security_definer_function_executable_public_raised_a integer',
      ],
    ],
    ['table_bloat', ['table_bloat_public_swollen']],
    ['no_primary_key', ['no_primary_key_public_by_mail', 'no_primary_key_public_child']],
  ])('%s finds what is faulty and nothing that is in order', (name, expected) => {
    expect(keys(name)).toEqual(expected);
  });

  it('finds foreign keys that no index begins with', () => {
    expect(keys('unindexed_foreign_keys')).toEqual([
      'unindexed_foreign_keys_public_by_mail_by_mail_mail_fkey',
      'unindexed_foreign_keys_public_child_child_parent_fkey',
    ]);
  });

  it('names the policies that meet for one role and command', () => {
    const met = findings.filter(({ name }) => name === 'multiple_permissive_policies');
    expect(met.map(({ cache_key }) => cache_key)).toEqual(
      expect.arrayContaining(['multiple_permissive_policies_public_guarded_authenticated_SELECT']),
    );
    expect(met.some(({ cache_key }) => cache_key.includes('service_role'))).toBe(false);
    expect(met.some(({ cache_key }) => cache_key.includes('_fine_'))).toBe(false);
    expect(met.find(({ cache_key }) => cache_key.endsWith('authenticated_SELECT'))?.detail).toContain(
      'all_of_it, mine',
    );
  });

  it('says what a program needs to act on it', () => {
    expect(findings.find(({ name }) => name === 'auth_users_exposed')).toEqual({
      name: 'auth_users_exposed',
      title: 'Exposed Auth Users',
      level: 'ERROR',
      facing: 'EXTERNAL',
      categories: ['SECURITY'],
      description: expect.any(String),
      detail: 'View public.people shows data of auth.users to clients.',
      remediation: expect.any(String),
      metadata: { schema: 'public', name: 'people', type: 'view', exposed_to: ['authenticated'] },
      cache_key: 'auth_users_exposed_public_people',
    });
  });

  it('keeps to the category, the level and the schemas that are asked for', async () => {
    const slow = await findAdvice(client, { ...everything, category: 'PERFORMANCE', atLeast: 'WARN' });
    expect(new Set(slow.map(({ name }) => name))).toEqual(
      new Set(['auth_rls_initplan', 'duplicate_index', 'multiple_permissive_policies']),
    );
    const hidden = await findAdvice(client, { ...everything, exposed: ['api'] });
    expect(hidden.some(({ name }) => name === 'rls_disabled_in_public')).toBe(false);
  });

  it('gives every finding of a database a key of its own', () => {
    const all = findings.map(({ name, cache_key }) => `${name} ${cache_key}`);
    expect(new Set(all).size).toBe(all.length);
    expect(new Set(allAdvice.map(({ name }) => name)).size).toBe(allAdvice.length);
  });
});
