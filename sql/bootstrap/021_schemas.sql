-- The schemas and who may look into them. A schema that exists keeps its owner.

do $$
declare
  listed record;
begin
  for listed in
    select * from (values
      ('extensions', 'postgres'),
      ('auth', 'supabase_admin'),
      ('storage', 'supabase_admin'),
      ('realtime', 'supabase_admin'),
      ('graphql_public', 'supabase_admin'),
      ('vault', 'supabase_admin'),
      ('supabase_functions', 'supabase_admin'),
      ('supabase_migrations', 'postgres'),
      ('pgbouncer', 'pgbouncer'),
      -- Our own books: the outbox, the instance's key, what was applied.
      ('ownbase', 'supabase_admin')
    ) as schemas (name, owner)
  loop
    if not pg_temp.attempt(
      format('create schema if not exists %I authorization %I', listed.name, listed.owner), 'schema owners') then
      perform pg_temp.attempt(format('create schema if not exists %I', listed.name), 'schema: ' || listed.name);
    end if;
  end loop;
end
$$;

select pg_temp.attempt(statement, 'schema grants')
from (values
  ('grant usage, create on schema public to postgres'),
  ('grant usage on schema public to anon, authenticated, service_role'),
  ('grant usage on schema extensions to anon, authenticated, service_role'),
  ('grant usage, create on schema extensions to dashboard_user'),
  ('grant usage, create on schema auth to supabase_auth_admin, dashboard_user'),
  ('grant usage on schema auth to postgres, anon, authenticated, service_role'),
  ('grant usage, create on schema storage to supabase_storage_admin, dashboard_user'),
  ('grant usage on schema storage to postgres with grant option'),
  ('grant usage on schema storage to anon, authenticated, service_role'),
  ('grant usage, create on schema realtime to supabase_realtime_admin with grant option'),
  ('grant usage on schema realtime to postgres with grant option'),
  ('grant usage on schema realtime to anon, authenticated, service_role'),
  ('grant usage on schema graphql_public to postgres, anon, authenticated, service_role'),
  ('grant usage on schema vault to postgres, service_role'),
  ('grant usage on schema supabase_functions to postgres, anon, authenticated, service_role'),
  ('grant all on schema supabase_functions to supabase_functions_admin')
) as listed (statement);
