-- The database belongs to `postgres`, and through it the schema public: migrations may recreate that schema.

do $$
declare
  database text := current_database();
  owner name := (select pg_get_userbyid(datdba) from pg_database where datname = current_database());
begin
  if owner = session_user and owner <> 'postgres' then
    perform pg_temp.attempt(format('alter database %I owner to postgres', database), 'database owner');
  end if;
  perform pg_temp.attempt(format('grant all on database %I to postgres, dashboard_user', database), 'database grants');
  perform pg_temp.attempt(format('grant create on database %I to supabase_auth_admin', database), 'database grants');
end
$$;

-- Old apps read these from SQL.
do $$
declare
  name text;
  value text;
begin
  foreach name in array array['jwt_secret', 'jwt_exp']
  loop
    value := nullif(current_setting('ownbase.app_' || name, true), '');
    if value is not null then
      perform pg_temp.attempt(
        format('alter database %I set %s to %L', current_database(), 'app.settings.' || name, value), 'app.settings');
    end if;
  end loop;
end
$$;
