-- Who may act as whom. The API's login inherits nothing: it has only the rights of the role it takes per request.

do $$
declare
  has_options boolean := current_setting('server_version_num')::int >= 160000;
  membership record;
  found text[];
  circles text[] := '{}';
  remedies text[] := '{}';
begin
  for membership in
    select * from (values
      ('anon',                       'authenticator',           ''),
      ('authenticated',              'authenticator',           ''),
      ('service_role',               'authenticator',           ''),
      ('authenticator',              'supabase_storage_admin',  ''),
      ('anon',                       'supabase_realtime_admin', ''),
      ('authenticated',              'supabase_realtime_admin', ''),
      ('service_role',               'supabase_realtime_admin', ''),
      ('anon',                       'postgres',                'with admin option'),
      ('authenticated',              'postgres',                'with admin option'),
      ('service_role',               'postgres',                'with admin option'),
      ('supabase_functions_admin',   'postgres',                ''),
      ('supabase_superuser',         'postgres',                ''),
      ('supabase_superuser',         'supabase_etl_admin',      ''),
      ('pg_monitor',                 'postgres',                ''),
      ('pg_read_all_data',           'postgres',                ''),
      ('pg_signal_backend',          'postgres',                ''),
      ('pg_read_all_data',           'supabase_read_only_user', ''),
      -- Policies and triggers on these services' tables need their owner.
      ('supabase_auth_admin',        'postgres',                ''),
      ('supabase_storage_admin',     'postgres',                ''),
      ('supabase_realtime_admin',    'postgres',                ''),
      -- For ALTER ROLE authenticator SET pgrst.*, without the right to act as it.
      ('authenticator',              'postgres',
        case when has_options then 'with admin option, inherit false, set false' else 'with admin option' end)
    ) as listed (granted, member, options)
  loop
    -- The login of the bootstrap may be `postgres` itself, which on some servers made these roles.
    if membership.member = session_user and membership.options <> ''
      and pg_has_role(session_user, membership.granted, 'member with admin option') then
      continue;
    end if;
    -- Postgres knows no circles. Which of two memberships an administrator can do without is not ours to decide.
    found := (
      with recursive above as (
        select roleid, member, grantor from pg_auth_members where member = to_regrole(membership.granted)
        union
        select m.roleid, m.member, m.grantor from pg_auth_members m join above on m.member = above.roleid
      )
      select array_agg(distinct
        format('revoke %I from %s', membership.member, member::regrole)
          || case when has_options then format(' granted by %s', grantor::regrole) else '' end)
      from above where roleid = to_regrole(membership.member)
    );
    if found is not null then
      circles := circles || format('%s is a member of %s', membership.granted, membership.member);
      remedies := remedies || found;
      continue;
    end if;
    perform pg_temp.attempt(
      format('grant %I to %I %s', membership.granted, membership.member, membership.options),
      'membership: ' || membership.member || ' in ' || membership.granted);
  end loop;
  if circles <> '{}' then
    perform pg_temp.attempt(
      format('do %L', format('begin raise invalid_grant_operation using message = %L; end', format(
        '%s: it has to be the other way round. Run as a superuser, then start again: %s;',
        array_to_string(circles, ', '),
        (select string_agg(distinct remedy, '; ') from unnest(remedies) as remedy)))),
      'memberships that go in a circle');
  end if;
end
$$;

select pg_temp.attempt('grant execute on function pg_catalog.pg_reload_conf() to postgres', 'pg_reload_conf');
