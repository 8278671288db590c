-- Settings of the roles, where nobody has chosen another value.

do $$
declare
  setting record;
begin
  for setting in
    select * from (values
      ('supabase_admin',           'search_path',                         '"$user", public, auth, extensions'),
      ('postgres',                 'search_path',                         '"$user", public, extensions'),
      ('anon',                     'statement_timeout',                   '''3s'''),
      ('authenticated',            'statement_timeout',                   '''8s'''),
      ('authenticator',            'statement_timeout',                   '''8s'''),
      ('authenticator',            'lock_timeout',                        '''8s'''),
      ('supabase_auth_admin',      'search_path',                         'auth'),
      ('supabase_auth_admin',      'idle_in_transaction_session_timeout', '60000'),
      ('supabase_storage_admin',   'search_path',                         'storage'),
      ('supabase_realtime_admin',  'search_path',                         'public, extensions, realtime'),
      ('supabase_functions_admin', 'search_path',                         'supabase_functions')
    ) as listed (role, name, value)
  loop
    if not exists (
      select from pg_db_role_setting s, unnest(s.setconfig) as configured
      where s.setrole = to_regrole(setting.role) and s.setdatabase = 0
        and starts_with(configured, setting.name || '=')
    ) then
      perform pg_temp.attempt(
        format('alter role %I set %I to %s', setting.role, setting.name, setting.value),
        'role settings: ' || setting.role);
    end if;
  end loop;
end
$$;

-- With a library that cannot be loaded every login of the role would fail: ask for it only where it loads.
do $$
begin
  if (select rolsuper from pg_roles where rolname = session_user) and not exists (
    select from pg_db_role_setting s, unnest(s.setconfig) as configured
    where s.setrole = to_regrole('authenticator') and starts_with(configured, 'session_preload_libraries=')
  ) then
    load 'safeupdate';
    alter role authenticator set session_preload_libraries = 'safeupdate';
  end if;
exception
  when undefined_file then null;
end
$$;
