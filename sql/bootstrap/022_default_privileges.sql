-- What a role may do with tables, functions and sequences that are made later. In `public` this is what makes a
-- migration's `create table` reachable by the API; row security decides the rest.

do $$
declare
  -- Migrations run as postgres, or as the owner where it may not take that role.
  migrator name := case when pg_has_role(session_user, 'postgres', 'member') then 'postgres' else session_user end;
  rule record;
  kind text;
begin
  for rule in
    select * from (values
      (migrator::text,            'public',             'postgres, anon, authenticated, service_role'),
      ('supabase_admin',          'public',             'postgres, anon, authenticated, service_role'),
      ('supabase_admin',          'storage',            'postgres, anon, authenticated, service_role'),
      ('supabase_storage_admin',  'storage',            'postgres, anon, authenticated, service_role'),
      ('supabase_admin',          'graphql_public',     'postgres, anon, authenticated, service_role'),
      ('supabase_admin',          'supabase_functions', 'postgres, anon, authenticated, service_role'),
      ('supabase_auth_admin',     'auth',               'postgres, dashboard_user'),
      ('supabase_admin',          'realtime',           'postgres, dashboard_user'),
      ('supabase_realtime_admin', 'realtime',           'postgres, dashboard_user'),
      ('supabase_admin',          'extensions',         'postgres with grant option')
    ) as listed (creator, schema, grantees)
  loop
    foreach kind in array array['tables', 'functions', 'sequences']
    loop
      perform pg_temp.attempt(
        format('alter default privileges for role %I in schema %I grant all on %s to %s',
          rule.creator, rule.schema, kind, rule.grantees),
        'default privileges: ' || rule.schema);
    end loop;
  end loop;
end
$$;
