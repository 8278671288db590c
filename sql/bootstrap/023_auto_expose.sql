-- The switch `auto_expose_new_tables`: whether tables that migrations make in `public` are within the API's reach
-- before a grant says so. Nothing is touched where the project does not choose.

do $$
declare
  migrator name := case when pg_has_role(session_user, 'postgres', 'member') then 'postgres' else session_user end;
  choice text := nullif(current_setting('ownbase.auto_expose', true), '');
  verb text := case choice when 'on' then 'grant' else 'revoke' end;
  roles text := case choice when 'on' then 'to' else 'from' end || ' anon, authenticated, service_role';
  rights text;
begin
  if choice is null then
    return;
  end if;
  foreach rights in array array[
    'select, insert, update, delete on tables', 'usage, select on sequences', 'execute on functions']
  loop
    perform pg_temp.attempt(
      format('alter default privileges for role %I in schema public %s %s %s', migrator, verb, rights, roles),
      'default privileges: public');
  end loop;
end
$$;
