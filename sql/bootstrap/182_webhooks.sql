-- Database webhooks: a trigger that posts the row, and the list of what was sent.

create table if not exists supabase_functions.migrations (
  version text primary key,
  inserted_at timestamptz not null default now()
);
create table if not exists supabase_functions.hooks (
  id bigserial primary key,
  hook_table_id integer not null,
  hook_name text not null,
  created_at timestamptz not null default now(),
  request_id bigint
);
create index if not exists supabase_functions_hooks_request_id_idx on supabase_functions.hooks (request_id);
create index if not exists supabase_functions_hooks_h_table_id_h_name_idx
  on supabase_functions.hooks (hook_table_id, hook_name);
comment on table supabase_functions.hooks is 'Audit trail of triggered hooks.';
insert into supabase_functions.migrations (version) values ('initial'), ('20210809183423_update_grants')
on conflict do nothing;

-- Arguments of the trigger: url, method, headers, parameters, timeout in milliseconds.
create or replace function supabase_functions.http_request() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  url constant text := tg_argv[0];
  method constant text := upper(tg_argv[1]);
  headers constant jsonb := coalesce(nullif(nullif(tg_argv[2], ''), 'null'), '{"Content-Type": "application/json"}')::jsonb;
  params constant jsonb := coalesce(nullif(nullif(tg_argv[3], ''), 'null'), '{}')::jsonb;
  timeout_ms constant integer := coalesce(nullif(nullif(tg_argv[4], ''), 'null'), '1000')::integer;
  request_id bigint;
begin
  if coalesce(url, 'null') in ('', 'null') then
    raise exception 'url argument is missing';
  end if;
  case coalesce(method, 'NULL')
    when 'GET' then
      request_id := net.http_get(url, params, headers, timeout_ms);
    when 'POST' then
      request_id := net.http_post(
        url,
        jsonb_build_object('old_record', old, 'record', new, 'type', tg_op, 'table', tg_table_name,
          'schema', tg_table_schema),
        params, headers, timeout_ms);
    when 'NULL' then
      raise exception 'method argument is missing';
    else
      raise exception 'method argument % is invalid', method;
  end case;
  insert into supabase_functions.hooks (hook_table_id, hook_name, request_id)
  values (tg_relid, tg_name, request_id);
  return coalesce(new, old);
end
$$;

alter table supabase_functions.migrations owner to supabase_functions_admin;
alter table supabase_functions.hooks owner to supabase_functions_admin;
alter function supabase_functions.http_request owner to supabase_functions_admin;

grant all on all tables in schema supabase_functions to postgres, anon, authenticated, service_role;
grant all on all sequences in schema supabase_functions to postgres, anon, authenticated, service_role;
revoke all on function supabase_functions.http_request from public;
grant execute on function supabase_functions.http_request to postgres, anon, authenticated, service_role;
