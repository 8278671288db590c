-- The roles a project's migrations, policies and dumps name. A role that exists keeps its password and settings.

do $$
declare
  role record;
  attribute text;
begin
  for role in
    select * from (values
      ('supabase_admin',             'nologin inherit',   'createdb createrole replication bypassrls'),
      ('postgres',                   'login inherit',     'createdb createrole replication bypassrls'),
      ('anon',                       'nologin inherit',   ''),
      ('authenticated',              'nologin inherit',   ''),
      ('service_role',               'nologin inherit',   'bypassrls'),
      ('authenticator',              'login noinherit',   ''),
      ('supabase_auth_admin',        'login noinherit',   ''),
      ('supabase_storage_admin',     'login noinherit',   'createrole'),
      ('supabase_realtime_admin',    'nologin noinherit', ''),
      ('supabase_functions_admin',   'login noinherit',   'createrole'),
      ('supabase_replication_admin', 'login inherit',     'replication'),
      ('supabase_etl_admin',         'login inherit',     'replication'),
      ('supabase_read_only_user',    'login inherit',     'bypassrls'),
      ('dashboard_user',             'nologin inherit',   'createdb createrole replication'),
      ('pgbouncer',                  'login inherit',     ''),
      ('supabase_superuser',         'nologin inherit',   '')
    ) as listed (name, base, privileged)
  loop
    if not exists (select from pg_roles where rolname = role.name) then
      perform pg_temp.attempt(format('create role %I %s', role.name, role.base), 'role: ' || role.name);
    elsif role.name = session_user or (select rolsuper from pg_roles where rolname = role.name) then
      -- The server's owner made it what it is: nothing is taken from it.
      continue;
    else
      perform pg_temp.attempt(format('alter role %I %s', role.name, role.base), 'role: ' || role.name);
    end if;
    foreach attribute in array string_to_array(role.privileged, ' ') loop
      perform pg_temp.attempt(
        format('alter role %I %s', role.name, attribute), 'role attribute: ' || role.name || ' ' || attribute);
    end loop;
  end loop;
end
$$;

-- Whoever is no superuser must belong to the owners of what is made next, to be able to act as them.
do $$
declare
  owner text;
begin
  if (select rolsuper from pg_roles where rolname = session_user) then
    return;
  end if;
  foreach owner in array array['supabase_admin', 'postgres', 'supabase_auth_admin', 'supabase_storage_admin',
    'supabase_realtime_admin', 'supabase_functions_admin', 'pgbouncer']
  loop
    if owner <> session_user and not pg_has_role(session_user, owner, 'member') then
      perform pg_temp.attempt(format('grant %I to %I', owner, session_user), 'ownership: ' || owner);
    elsif owner <> session_user and current_setting('server_version_num')::int >= 160000
      and not pg_has_role(session_user, owner, 'set') then
      perform pg_temp.attempt(
        format('grant %I to %I with inherit true, set true', owner, session_user), 'ownership: ' || owner);
    end if;
  end loop;
end
$$;
