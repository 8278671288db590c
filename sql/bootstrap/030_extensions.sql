-- Extensions that every project finds. One that lives in another schema already is left there.

do $$
declare
  wanted text;
begin
  foreach wanted in array array['uuid-ossp', 'pgcrypto', 'pg_stat_statements']
  loop
    if not exists (select from pg_available_extensions where name = wanted) then
      insert into pg_temp.degraded_feature values ('extension: ' || wanted, 'the server does not have it')
      on conflict do nothing;
    else
      perform pg_temp.attempt(
        format('create extension if not exists %I with schema extensions', wanted), 'extension: ' || wanted);
    end if;
  end loop;
end
$$;
