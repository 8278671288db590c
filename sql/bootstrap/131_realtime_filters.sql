-- Filters of subscriptions: a column compared with text that is cast to the column's type.

set local role supabase_realtime_admin;

-- Text as the JSON of a type's value.
create or replace function realtime."cast"(val text, type_ regtype) returns jsonb
language plpgsql immutable as $$
declare
  converted jsonb;
begin
  -- The text of bytea is its hex form already.
  if type_ = 'bytea'::regtype then
    return to_jsonb(val);
  end if;
  execute format('select to_jsonb(cast(%L as %s))', val, type_) into converted;
  return converted;
end
$$;

create or replace function realtime.check_equality_op(
  op realtime.equality_op, type_ regtype, val_1 text, val_2 text, negate boolean
) returns boolean
language plpgsql stable as $$
declare
  left_side constant text := format('cast(%L as %s)', val_1, type_);
  comparison text;
  outcome boolean;
begin
  case op
    when 'is' then
      if val_2 not in ('null', 'true', 'false', 'unknown') then
        raise exception 'invalid value for is filter: must be null, true, false, or unknown';
      end if;
      comparison := format('%s is %s %s', left_side, case when negate then 'not' else '' end, val_2);
    when 'isdistinct' then
      comparison := format('%s is %s distinct from cast(%L as %s)',
        left_side, case when negate then 'not' else '' end, val_2, type_);
    when 'in' then
      comparison := format('%s = any (cast(%L as %s[]))', left_side, val_2, type_);
    else
      comparison := format('%s %s cast(%L as %s)', left_side,
        case op
          when 'eq' then '=' when 'neq' then '<>' when 'lt' then '<' when 'lte' then '<='
          when 'gt' then '>' when 'gte' then '>=' when 'like' then 'like' when 'ilike' then 'ilike'
          when 'match' then '~' when 'imatch' then '~*'
        end, val_2, type_);
  end case;
  execute 'select ' || comparison into outcome;
  return case when negate and op not in ('is', 'isdistinct') then not outcome else outcome end;
end
$$;

create or replace function realtime.check_equality_op(
  op realtime.equality_op, type_ regtype, val_1 text, val_2 text
) returns boolean
language plpgsql immutable as $$
begin
  return realtime.check_equality_op(op, type_, val_1, val_2, false);
end
$$;

-- Every filter names a column that is there and holds for its value; no filter lets everything through.
create or replace function realtime.is_visible_through_filters(
  columns realtime.wal_column[], filters realtime.user_defined_filter[]
) returns boolean
language sql stable as $$
  select coalesce(bool_and(coalesce(
    realtime.check_equality_op(
      wanted.op, coalesce(col.type_oid::regtype, col.type_name::regtype), col.value #>> '{}', wanted.value,
      coalesce(wanted.negate, false)),
    false)), true)
  from unnest(filters) as wanted
  left join unnest(columns) as col on col.name = wanted.column_name
$$;

create or replace function realtime.wal2json_escape_identifier(name text) returns text
language sql immutable strict as $$
  select regexp_replace(name, '([\\,.[:space:]])', '\\\1', 'g')
$$;

create or replace function realtime.quote_wal2json(entity regclass) returns text
language sql immutable strict as $$
  select realtime.wal2json_escape_identifier(n.nspname::text) || '.'
    || realtime.wal2json_escape_identifier(c.relname::text)
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.oid = entity
$$;

create or replace function realtime.build_prepared_statement_sql(
  prepared_statement_name text, entity regclass, columns realtime.wal_column[]
) returns text
language sql as $$
  select format('prepare %s as select exists (select from %s where %s)', prepared_statement_name, entity,
    string_agg(format('%I = %L', col.name, col.value #>> '{}'), ' and '))
  from unnest(columns) as col
  where col.is_pkey
$$;

-- Refuses a subscription whose filters could not be evaluated, and puts filters and columns into one order, so that
-- the unique index sees through a different spelling.
create or replace function realtime.subscription_check_filters() returns trigger
language plpgsql as $$
declare
  filter realtime.user_defined_filter;
  column_type regtype;
  operator_name text;
  unknown_column text;
  readable text[];
begin
  select coalesce(array_agg(a.attname::text), '{}') into readable
  from pg_catalog.pg_attribute a
  where a.attrelid = new.entity and a.attnum > 0 and not a.attisdropped
    and pg_catalog.has_column_privilege(new.claims ->> 'role', a.attrelid, a.attnum, 'select');

  foreach filter in array new.filters loop
    if filter.column_name <> all (readable) then
      raise exception 'invalid column for filter %', filter.column_name;
    end if;
    select a.atttypid::regtype into column_type
    from pg_catalog.pg_attribute a
    where a.attrelid = new.entity and a.attname = filter.column_name;

    case
      when filter.op = 'in' then
        if coalesce(jsonb_array_length(realtime."cast"(filter.value, (column_type::text || '[]')::regtype)), 0) > 100 then
          raise exception 'too many values for `in` filter. Maximum 100';
        end if;
      when filter.op = 'is' then
        if filter.value not in ('null', 'true', 'false', 'unknown') then
          raise exception 'invalid value for is filter: must be null, true, false, or unknown';
        elsif filter.value <> 'null' and column_type <> 'boolean'::regtype then
          raise exception 'is % filter requires a boolean column, got %', filter.value, column_type;
        end if;
      when filter.op in ('like', 'ilike', 'match', 'imatch') then
        operator_name := case filter.op
          when 'like' then '~~' when 'ilike' then '~~*' when 'match' then '~' else '~*' end;
        if not exists (
          select from pg_catalog.pg_operator
          where oprname = operator_name and oprleft = column_type and oprresult = 'boolean'::regtype
        ) then
          raise exception 'operator % requires a text-compatible column type, got %', filter.op, column_type;
        end if;
        if filter.op in ('match', 'imatch') then
          begin
            perform '' ~ filter.value;
          exception when others then
            raise exception 'invalid regular expression for % filter: %', filter.op, sqlerrm;
          end;
        end if;
      else
        perform realtime."cast"(filter.value, column_type);
    end case;
  end loop;

  select chosen into unknown_column
  from unnest(new.selected_columns) as chosen
  where chosen <> all (readable)
  limit 1;
  if found then
    raise exception 'invalid column for select %', unknown_column;
  end if;

  new.filters := coalesce(
    (select array_agg(f order by f.column_name, f.op, f.value, f.negate) from unnest(new.filters) as f), '{}');
  new.selected_columns := (select array_agg(c order by c) from unnest(new.selected_columns) as c);
  return new;
end
$$;

reset role;
