-- Requests from SQL, where the server does not have pg_net: they are kept in the queue and a warning says that
-- nothing sends them, so that a trigger that calls out does not undo the row it was fired for.

create schema if not exists net authorization supabase_admin;

do $$
begin
  if to_regtype('net.http_method') is null then
    create domain net.http_method as text check (value in ('GET', 'POST', 'DELETE'));
  end if;
  if to_regtype('net.request_status') is null then
    create type net.request_status as enum ('PENDING', 'SUCCESS', 'ERROR');
  end if;
  if to_regtype('net.http_response') is null then
    create type net.http_response as (status_code integer, headers jsonb, body text);
  end if;
  if to_regtype('net.http_response_result') is null then
    create type net.http_response_result as (
      status net.request_status, message text, response net.http_response);
  end if;
end
$$;

create table if not exists net.http_request_queue (
  id bigserial not null,
  method net.http_method not null,
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds integer not null
);

create table if not exists net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out boolean,
  error_msg text,
  created timestamptz not null default now()
);
create index if not exists _http_response_created_idx on net._http_response (created);

create or replace function net._urlencode_string(string character varying) returns text
language sql immutable strict as $$
  select coalesce(string_agg(
    case when character ~ '^[A-Za-z0-9_.~-]$' then character
      else upper(regexp_replace(encode(convert_to(character, 'UTF8'), 'hex'), '(..)', '%\1', 'g')) end,
    '' order by place), '')
  from unnest(string_to_array(string, null)) with ordinality as letters (character, place)
$$;

-- The address with the parameters behind it.
create or replace function net._encode_url_with_params_array(url text, params_array text[]) returns text
language sql immutable as $$
  select url || case when cardinality(params_array) > 0
    then case when strpos(url, '?') > 0 then '&' else '?' end || array_to_string(params_array, '&') else '' end
$$;

create or replace function net.queue_request(
  method text, url text, params jsonb, headers jsonb, body bytea, timeout_milliseconds integer
) returns bigint
language plpgsql as $$
declare
  request_id bigint;
  pairs text[] := array(
    select net._urlencode_string(key) || '=' || net._urlencode_string(value)
    from jsonb_each_text(coalesce(params, '{}')));
begin
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (method, net._encode_url_with_params_array(url, pairs), headers, body, timeout_milliseconds)
  returning id into request_id;
  raise warning 'request % to % is queued and not sent: pg_net is not installed', request_id,
    split_part(url, '?', 1);
  return request_id;
end
$$;

create or replace function net.http_get(
  url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds integer default 5000
) returns bigint
language sql security definer set search_path = '' as $$
  select net.queue_request('GET', url, params, headers, null, timeout_milliseconds)
$$;

create or replace function net.http_post(
  url text,
  body jsonb default '{}',
  params jsonb default '{}',
  headers jsonb default '{"Content-Type": "application/json"}',
  timeout_milliseconds integer default 5000
) returns bigint
language sql security definer set search_path = '' as $$
  select net.queue_request(
    'POST', url, params, headers, convert_to(coalesce(body, '{}')::text, 'UTF8'), timeout_milliseconds)
$$;

create or replace function net.http_delete(
  url text,
  params jsonb default '{}',
  headers jsonb default '{}',
  timeout_milliseconds integer default 5000,
  body jsonb default null
) returns bigint
language sql security definer set search_path = '' as $$
  select net.queue_request('DELETE', url, params, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds)
$$;

create or replace function net.http_collect_response(request_id bigint, async boolean default true)
returns net.http_response_result
language sql stable security definer set search_path = '' as $$
  select case
    when r.id is not null then
      ('SUCCESS', 'ok', (r.status_code, r.headers, r.content)::net.http_response)::net.http_response_result
    when q.id is not null then
      ('PENDING', 'request is pending processing', null)::net.http_response_result
    else
      ('ERROR', 'request matching request_id not found', null)::net.http_response_result
  end
  from (values (request_id)) as asked (id)
  left join net._http_response r on r.id = asked.id
  left join net.http_request_queue q on q.id = asked.id
$$;

alter table net.http_request_queue owner to supabase_admin;
alter table net._http_response owner to supabase_admin;
alter function net.http_get owner to supabase_admin;
alter function net.http_post owner to supabase_admin;
alter function net.http_delete owner to supabase_admin;
alter function net.http_collect_response owner to supabase_admin;

revoke all on function net.queue_request from public;
grant execute on function net.queue_request to supabase_admin;
grant usage on schema net to supabase_functions_admin, postgres, anon, authenticated, service_role;
grant all on all tables in schema net to postgres, supabase_functions_admin;
grant all on all sequences in schema net to postgres, supabase_functions_admin;
