-- Tokens made and checked in SQL, where the server does not have pgjwt.

create or replace function extensions.url_encode(data bytea) returns text
language sql immutable as $$
  select translate(encode(data, 'base64'), E'+/=\n', '-_')
$$;

create or replace function extensions.url_decode(data text) returns bytea
language sql immutable as $$
  select decode(
    rpad(translate(data, '-_', '+/'), (length(data) + 3) / 4 * 4, '='), 'base64')
$$;

create or replace function extensions.algorithm_sign(signables text, secret text, algorithm text) returns text
language sql immutable as $$
  select extensions.url_encode(extensions.hmac(signables, secret,
    case algorithm when 'HS256' then 'sha256' when 'HS384' then 'sha384' when 'HS512' then 'sha512' else '' end))
$$;

create or replace function extensions.sign(payload json, secret text, algorithm text default 'HS256') returns text
language sql immutable as $$
  select signables || '.' || extensions.algorithm_sign(signables, secret, algorithm)
  from (
    select extensions.url_encode(convert_to('{"alg":"' || algorithm || '","typ":"JWT"}', 'utf8')) || '.'
      || extensions.url_encode(convert_to(payload::text, 'utf8'))
  ) as parts (signables)
$$;

create or replace function extensions.try_cast_double(inp text) returns double precision
language plpgsql immutable as $$
begin
  return inp::double precision;
exception
  when others then return null;
end
$$;

create or replace function extensions.verify(token text, secret text, algorithm text default 'HS256')
returns table (header json, payload json, valid boolean)
language sql immutable as $$
  select parts.header::json, parts.payload::json,
    parts.signed and tstzrange(
      to_timestamp(extensions.try_cast_double(parts.payload::json ->> 'nbf')),
      to_timestamp(extensions.try_cast_double(parts.payload::json ->> 'exp'))) @> current_timestamp
  from (
    select
      convert_from(extensions.url_decode(piece[1]), 'utf8') as header,
      convert_from(extensions.url_decode(piece[2]), 'utf8') as payload,
      piece[3] = extensions.algorithm_sign(piece[1] || '.' || piece[2], secret, algorithm) as signed
    from (select string_to_array(token, '.')) as pieces (piece)
  ) as parts
$$;

grant all on function
  extensions.url_encode, extensions.url_decode, extensions.algorithm_sign, extensions.sign,
  extensions.try_cast_double, extensions.verify
  to postgres with grant option;
