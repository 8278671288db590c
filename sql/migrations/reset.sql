-- Drops what a project made in this database: schemas, objects in public, extensions, policies, publications,
-- users, buckets, secrets, queues and the history of its migrations. What the bootstrap made stays.
-- Run by the owner, as one transaction.
-- Upstream: supabase/cli apps/cli-go/pkg/migration/queries/drop.sql

set lock_timeout = '10s';
set client_min_messages = warning;

create or replace function pg_temp.is_of_extension(class regclass, object oid) returns boolean
language sql stable as $function$
  select exists (select from pg_depend where classid = class and objid = object and deptype = 'e');
$function$;

do $reset$
declare
  statement text;
begin
  -- Schemas of the project go with everything in them; what others have in them falls by the cascade.
  for statement in
    select format('drop schema %I cascade', nspname) from pg_namespace
    where nspname !~ '^pg_' and not pg_temp.is_of_extension('pg_namespace', oid) and nspname <> all (array[
      'information_schema', 'public', 'extensions', 'auth', 'storage', 'realtime', '_realtime', '_analytics',
      '_supavisor', 'graphql', 'graphql_public', 'vault', 'pgsodium', 'cron', 'net', 'pgmq', 'pgmq_public', 'pgtle',
      'pgbouncer', 'supabase_functions', 'supabase_migrations', 'ownbase'])
  loop
    execute statement;
  end loop;

  for statement in
    select format('drop extension if exists %I cascade', extname) from pg_extension
    where extname <> all (array['pg_graphql', 'pg_net', 'pg_cron', 'pg_stat_statements', 'pgcrypto', 'pgjwt',
      'pgsodium', 'plpgsql', 'supabase_vault', 'uuid-ossp'])
  loop
    execute statement;
  end loop;

  for statement in
    select format('drop routine if exists public.%I(%s) cascade', proname, pg_get_function_identity_arguments(oid))
    from pg_proc where pronamespace = 'public'::regnamespace and not pg_temp.is_of_extension('pg_proc', oid)
  loop
    execute statement;
  end loop;

  for statement in
    select format('drop %s if exists public.%I cascade',
      case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
        when 'f' then 'foreign table' when 'c' then 'type' else 'table' end, relname)
    from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c')
      and not pg_temp.is_of_extension('pg_class', oid)
    -- A sequence that belongs to a column goes with its table.
    order by relkind = 'S', relkind
  loop
    execute statement;
  end loop;

  for statement in
    select format('drop type if exists public.%I cascade', typname) from pg_type
    where typnamespace = 'public'::regnamespace and typtype in ('e', 'd', 'r')
      and not pg_temp.is_of_extension('pg_type', oid)
  loop
    execute statement;
  end loop;

  for statement in
    select format('drop policy %I on %I.%I', policyname, schemaname, tablename) from pg_policies
    where schemaname <> 'ownbase'
  loop
    execute statement;
  end loop;

  for statement in
    select format('drop publication %I', pubname) from pg_publication
    where pubname !~ '^(supabase_realtime|realtime_messages|ownbase)'
    union all
    select format('alter publication %I drop table %I.%I', pubname, schemaname, tablename)
    from pg_publication_tables where pubname = 'supabase_realtime'
      and not (select puballtables from pg_publication p where p.pubname = pg_publication_tables.pubname)
  loop
    execute statement;
  end loop;

  if to_regprocedure('pgmq.drop_queue(text)') is not null then
    for statement in execute $query$select format('select pgmq.drop_queue(%L)', queue_name) from pgmq.meta$query$
    loop
      execute statement;
    end loop;
  end if;
end
$reset$;

do $reset$
declare
  emptied text := (
    select string_agg(c.oid::regclass::text, ', ') from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and not c.relispartition
      and (n.nspname in ('auth', 'storage', 'realtime', 'supabase_functions') and c.relname !~ 'migrations$'
        or n.nspname = 'supabase_migrations'
        or n.nspname in ('vault', 'cron', 'net') and not pg_temp.is_of_extension('pg_class', c.oid)));
begin
  if emptied is not null then
    execute 'truncate ' || emptied || ' cascade';
  end if;
end
$reset$;
