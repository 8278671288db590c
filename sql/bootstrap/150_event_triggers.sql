-- Tells the API that tables, functions or types changed. Where no event trigger can be made, the catalog is polled.

create or replace function extensions.pgrst_ddl_watch() returns event_trigger
language plpgsql as $$
begin
  if exists (
    select from pg_event_trigger_ddl_commands() as command
    where command.command_tag in (
        'CREATE SCHEMA', 'ALTER SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE',
        'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE', 'CREATE VIEW', 'ALTER VIEW', 'CREATE MATERIALIZED VIEW',
        'ALTER MATERIALIZED VIEW', 'CREATE FUNCTION', 'ALTER FUNCTION', 'CREATE TRIGGER', 'CREATE TYPE',
        'ALTER TYPE', 'CREATE RULE', 'COMMENT')
      and coalesce(command.schema_name, '') not in ('pg_temp', 'auth', 'realtime', '_realtime', 'storage')
  ) then
    notify pgrst, 'reload schema';
  end if;
end
$$;

create or replace function extensions.pgrst_drop_watch() returns event_trigger
language plpgsql as $$
begin
  if exists (
    select from pg_event_trigger_dropped_objects() as dropped
    where dropped.object_type in (
        'schema', 'table', 'foreign table', 'view', 'materialized view', 'function', 'trigger', 'type', 'rule')
      and not dropped.is_temporary
  ) then
    notify pgrst, 'reload schema';
  end if;
end
$$;

-- Real pg_cron and pg_net, when a project makes them where the server has them.

create or replace function extensions.grant_pg_cron_access() returns event_trigger
language plpgsql as $$
begin
  if exists (
    select from pg_event_trigger_ddl_commands() as command
    join pg_catalog.pg_extension e on e.oid = command.objid
    where e.extname = 'pg_cron'
  ) then
    grant usage on schema cron to postgres with grant option;
    alter default privileges in schema cron grant all on tables to postgres with grant option;
    alter default privileges in schema cron grant all on functions to postgres with grant option;
    alter default privileges in schema cron grant all on sequences to postgres with grant option;
    grant all on all tables in schema cron to postgres with grant option;
    revoke all on table cron.job from postgres;
    grant select on table cron.job to postgres with grant option;
  end if;
end
$$;
comment on function extensions.grant_pg_cron_access() is 'Grants access to pg_cron';

create or replace function extensions.grant_pg_net_access() returns event_trigger
language plpgsql as $$
declare
  request regprocedure;
begin
  if exists (
    select from pg_event_trigger_ddl_commands() as command
    join pg_catalog.pg_extension e on e.oid = command.objid
    where e.extname = 'pg_net'
  ) then
    grant usage on schema net to supabase_functions_admin, postgres, anon, authenticated, service_role;
    for request in
      select p.oid from pg_catalog.pg_proc p
      where p.pronamespace = 'net'::regnamespace and p.proname in ('http_get', 'http_post')
    loop
      execute format('alter function %s security definer', request);
      execute format('alter function %s set search_path = net', request);
      execute format('revoke all on function %s from public', request);
      execute format(
        'grant execute on function %s to supabase_functions_admin, postgres, anon, authenticated, service_role', request);
    end loop;
  end if;
end
$$;
comment on function extensions.grant_pg_net_access() is 'Grants access to pg_net';

do $$
declare
  watch record;
begin
  for watch in
    select * from (values
      ('pgrst_ddl_watch',      'ddl_command_end', '',                                  'pgrst_ddl_watch'),
      ('pgrst_drop_watch',     'sql_drop',        '',                                  'pgrst_drop_watch'),
      ('issue_pg_cron_access', 'ddl_command_end', 'when tag in (''CREATE EXTENSION'')', 'grant_pg_cron_access'),
      ('issue_pg_net_access',  'ddl_command_end', 'when tag in (''CREATE EXTENSION'')', 'grant_pg_net_access')
    ) as listed (name, event, condition, function)
  loop
    if not exists (select from pg_event_trigger where evtname = watch.name) then
      perform pg_temp.attempt(
        format('create event trigger %I on %s %s execute function extensions.%I()',
          watch.name, watch.event, watch.condition, watch.function),
        'event triggers');
    end if;
  end loop;
end
$$;
