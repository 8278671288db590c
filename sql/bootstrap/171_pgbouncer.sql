-- How an external connection pool checks a login.

create or replace function pgbouncer.get_auth(p_usename text) returns table (username text, password text)
language plpgsql security definer set search_path = '' as $$
begin
  return query
    select a.rolname::text,
      case when a.rolvaliduntil < now() then null else a.rolpassword::text end
    from pg_catalog.pg_authid a
    where a.rolname = p_usename and a.rolcanlogin;
end
$$;
revoke all on function pgbouncer.get_auth(text) from public, anon, authenticated, service_role;
grant execute on function pgbouncer.get_auth(text) to pgbouncer;
