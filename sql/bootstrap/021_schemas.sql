-- The schemas and who may look into them. A schema that exists keeps its owner.

create schema if not exists extensions authorization postgres;
create schema if not exists auth authorization supabase_admin;
create schema if not exists storage authorization supabase_admin;
create schema if not exists realtime authorization supabase_admin;
create schema if not exists graphql_public authorization supabase_admin;
create schema if not exists vault authorization supabase_admin;
create schema if not exists supabase_functions authorization supabase_admin;
create schema if not exists supabase_migrations authorization postgres;
create schema if not exists pgbouncer authorization pgbouncer;
create schema if not exists ownbase authorization supabase_admin;

grant usage, create on schema public to postgres;
grant usage on schema public to anon, authenticated, service_role;

grant usage on schema extensions to anon, authenticated, service_role;
grant usage, create on schema extensions to dashboard_user;

grant usage, create on schema auth to supabase_auth_admin, dashboard_user;
grant usage on schema auth to postgres, anon, authenticated, service_role;

grant usage, create on schema storage to supabase_storage_admin, dashboard_user;
grant usage on schema storage to postgres with grant option;
grant usage on schema storage to anon, authenticated, service_role;

grant usage, create on schema realtime to supabase_realtime_admin with grant option;
grant usage on schema realtime to postgres with grant option;
grant usage on schema realtime to anon, authenticated, service_role;

grant usage on schema graphql_public to postgres, anon, authenticated, service_role;
grant usage on schema vault to postgres, service_role;
grant usage on schema supabase_functions to postgres, anon, authenticated, service_role;
grant all on schema supabase_functions to supabase_functions_admin;

-- Our own books: the outbox, the instance's key, what was applied. No role of the API has a way in.
revoke all on schema ownbase from public;
