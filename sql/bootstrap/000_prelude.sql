-- What every later file may use. Nothing here outlives the session.

set local client_min_messages = warning;
set local search_path = pg_catalog, pg_temp;
set local lock_timeout = '30s';

create temporary table if not exists degraded_feature (
  feature text primary key,
  reason text not null
) on commit preserve rows;
grant all on pg_temp.degraded_feature to public;

-- Runs a statement that a server may refuse to somebody who is not its superuser. A refusal is noted under
-- the name of the feature that is lost by it, and the bootstrap goes on; to a superuser it is an error.
create or replace function pg_temp.attempt(statement text, feature text) returns boolean
language plpgsql as $$
begin
  execute statement;
  return true;
exception
  when insufficient_privilege or feature_not_supported or undefined_object or invalid_parameter_value
    or object_not_in_prerequisite_state or invalid_grant_operation then
    if (select rolsuper from pg_catalog.pg_roles where rolname = session_user) then
      raise;
    end if;
    insert into pg_temp.degraded_feature values (feature, sqlerrm) on conflict do nothing;
    return false;
end
$$;
