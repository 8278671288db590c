-- Lets the role "postgres", which is no superuser, create, move, update and drop the extensions that a hosted
-- project may, inside the transaction of its migration. Upstream does the same by a loadable module.
-- Run by the owner before migrations; idempotent.
-- Upstream: supabase/postgres ansible/files/postgresql_config/supautils.conf.j2

create schema if not exists ownbase;

create or replace function ownbase.is_privileged_extension(extension text) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
as $function$
  select extension = any (array[
    'address_standardizer', 'address_standardizer_data_us', 'amcheck', 'autoinc', 'bloom', 'btree_gin',
    'btree_gist', 'citext', 'cube', 'dblink', 'dict_int', 'dict_xsyn', 'earthdistance', 'file_fdw',
    'fuzzystrmatch', 'hstore', 'http', 'hypopg', 'index_advisor', 'insert_username', 'intarray', 'isn', 'lo',
    'ltree', 'moddatetime', 'orioledb', 'pageinspect', 'pg_buffercache', 'pg_cron', 'pg_freespacemap',
    'pg_graphql', 'pg_hashids', 'pg_jsonschema', 'pg_net', 'pg_partman', 'pg_prewarm', 'pg_repack',
    'pg_stat_monitor', 'pg_stat_statements', 'pg_tle', 'pg_trgm', 'pg_visibility', 'pg_walinspect', 'pgaudit',
    'pgcrypto', 'pgjwt', 'pgmq', 'pgroonga', 'pgroonga_database', 'pgrouting', 'pgrowlocks', 'pgsodium',
    'pgstattuple', 'pgtap', 'plpgsql', 'plpgsql_check', 'plv8', 'postgis', 'postgis_raster', 'postgis_sfcgal',
    'postgis_tiger_geocoder', 'postgis_topology', 'postgres_fdw', 'refint', 'rum', 'seg', 'sslinfo',
    'supabase_vault', 'tablefunc', 'tcn', 'timescaledb', 'tsm_system_rows', 'tsm_system_time', 'unaccent',
    'uuid-ossp', 'vector', 'wrappers', 'xml2'
  ]);
$function$;

create or replace function ownbase.create_extension(
  extension text, target_schema text, default_schema text, target_version text, if_not_exists boolean,
  with_cascade boolean
) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $function$
declare
  wrapper name;
  chosen_schema text := target_schema;
begin
  if not ownbase.is_privileged_extension(extension) then
    raise insufficient_privilege using message = format('permission denied to create extension "%s"', extension);
  end if;
  if chosen_schema is null and not exists (
    select from pg_available_extension_versions where name = extension and schema is not null
  ) then
    chosen_schema := default_schema;
  end if;
  execute format('create extension %s %I', case when if_not_exists then 'if not exists' else '' end, extension)
    || case when chosen_schema is null then '' else format(' schema %I', chosen_schema) end
    || case when target_version is null then '' else format(' version %L', target_version) end
    || case when with_cascade then ' cascade' else '' end;
  for wrapper in
    select w.fdwname from pg_foreign_data_wrapper w
    join pg_depend d on d.classid = 'pg_foreign_data_wrapper'::regclass and d.objid = w.oid and d.deptype = 'e'
    join pg_extension e on e.oid = d.refobjid and e.extname = extension
  loop
    execute format('grant usage on foreign data wrapper %I to postgres with grant option', wrapper);
  end loop;
end;
$function$;

create or replace function ownbase.alter_extension(extension text, target_schema text, target_version text)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $function$
begin
  if not ownbase.is_privileged_extension(extension) then
    raise insufficient_privilege using message = format('must be owner of extension %s', extension);
  end if;
  if target_schema is not null then
    execute format('alter extension %I set schema %I', extension, target_schema);
  else
    execute format('alter extension %I update', extension)
      || case when target_version is null then '' else format(' to %L', target_version) end;
  end if;
end;
$function$;

create or replace function ownbase.drop_extension(extension text, if_exists boolean, with_cascade boolean)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $function$
begin
  if not ownbase.is_privileged_extension(extension) then
    raise insufficient_privilege using message = format('must be owner of extension %s', extension);
  end if;
  execute format('drop extension %s %I', case when if_exists then 'if exists' else '' end, extension)
    || case when with_cascade then ' cascade' else '' end;
end;
$function$;

revoke all on function ownbase.create_extension(text, text, text, text, boolean, boolean) from public;
revoke all on function ownbase.alter_extension(text, text, text) from public;
revoke all on function ownbase.drop_extension(text, boolean, boolean) from public;
grant usage on schema ownbase to postgres;
grant execute on function ownbase.is_privileged_extension(text) to postgres;
grant execute on function ownbase.create_extension(text, text, text, text, boolean, boolean) to postgres;
grant execute on function ownbase.alter_extension(text, text, text) to postgres;
grant execute on function ownbase.drop_extension(text, boolean, boolean) to postgres;
