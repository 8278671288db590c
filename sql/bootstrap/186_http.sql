-- The functions of the extension `http`, where the server does not have it: a request is not sent, its answer is
-- null, and a warning says so.

do $$
begin
  if to_regtype('extensions.http_method') is null then
    create domain extensions.http_method as text;
  end if;
  if to_regtype('extensions.http_header') is null then
    create type extensions.http_header as (field character varying, value character varying);
  end if;
  if to_regtype('extensions.http_response') is null then
    create type extensions.http_response as (
      status integer, content_type character varying, headers extensions.http_header[], content character varying);
  end if;
  if to_regtype('extensions.http_request') is null then
    create type extensions.http_request as (
      method extensions.http_method, uri character varying, headers extensions.http_header[],
      content_type character varying, content character varying);
  end if;
end
$$;

create or replace function extensions.http_header(field character varying, value character varying)
returns extensions.http_header
language sql as $$
  select (field, value)::extensions.http_header
$$;

create or replace function extensions.urlencode(string bytea) returns text
language sql immutable strict as $$
  select coalesce(string_agg(
    case when chr(get_byte(string, place)) ~ '^[A-Za-z0-9_.-]$' then chr(get_byte(string, place))
      else '%' || upper(lpad(to_hex(get_byte(string, place)), 2, '0')) end, '' order by place), '')
  from generate_series(0, length(string) - 1) as place
$$;

create or replace function extensions.urlencode(string character varying) returns text
language sql immutable strict as $$
  select extensions.urlencode(convert_to(string, 'UTF8'))
$$;

create or replace function extensions.urlencode(data jsonb) returns text
language sql immutable strict as $$
  select string_agg(extensions.urlencode(key::varchar) || '=' || extensions.urlencode(value::varchar), '&')
  from jsonb_each_text(data)
$$;

create or replace function extensions.http(request extensions.http_request) returns extensions.http_response
language plpgsql as $$
begin
  raise warning '% request to % is not sent: the extension http is not installed', request.method,
    split_part(request.uri, '?', 1);
  return null;
end
$$;

create or replace function extensions.http_get(uri character varying) returns extensions.http_response
language sql as $$
  select extensions.http(('GET', uri, null, null, null)::extensions.http_request)
$$;

create or replace function extensions.http_get(uri character varying, data jsonb) returns extensions.http_response
language sql as $$
  select extensions.http(
    ('GET', uri || '?' || extensions.urlencode(data), null, null, null)::extensions.http_request)
$$;

create or replace function extensions.http_post(
  uri character varying, content character varying, content_type character varying
) returns extensions.http_response
language sql as $$
  select extensions.http(('POST', uri, null, content_type, content)::extensions.http_request)
$$;

create or replace function extensions.http_post(uri character varying, data jsonb) returns extensions.http_response
language sql as $$
  select extensions.http(('POST', uri, null, 'application/x-www-form-urlencoded',
    extensions.urlencode(data))::extensions.http_request)
$$;

create or replace function extensions.http_put(
  uri character varying, content character varying, content_type character varying
) returns extensions.http_response
language sql as $$
  select extensions.http(('PUT', uri, null, content_type, content)::extensions.http_request)
$$;

create or replace function extensions.http_patch(
  uri character varying, content character varying, content_type character varying
) returns extensions.http_response
language sql as $$
  select extensions.http(('PATCH', uri, null, content_type, content)::extensions.http_request)
$$;

create or replace function extensions.http_delete(uri character varying) returns extensions.http_response
language sql as $$
  select extensions.http(('DELETE', uri, null, null, null)::extensions.http_request)
$$;

create or replace function extensions.http_delete(
  uri character varying, content character varying, content_type character varying
) returns extensions.http_response
language sql as $$
  select extensions.http(('DELETE', uri, null, content_type, content)::extensions.http_request)
$$;

create or replace function extensions.http_head(uri character varying) returns extensions.http_response
language sql as $$
  select extensions.http(('HEAD', uri, null, null, null)::extensions.http_request)
$$;

create or replace function extensions.http_set_curlopt(curlopt character varying, value character varying)
returns boolean
language sql as $$
  select true
$$;

create or replace function extensions.http_reset_curlopt() returns boolean
language sql as $$
  select true
$$;

create or replace function extensions.http_list_curlopt() returns table (curlopt text, value text)
language sql as $$
  select null::text, null::text where false
$$;
