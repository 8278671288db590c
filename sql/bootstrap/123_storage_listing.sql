-- Listings of a bucket as folders and files. Names, prefixes and delimiters are literal text here, never patterns.
-- Rows are read in runs: one at a time after a folder (whose other rows are jumped over by the index), in growing
-- batches while files follow each other.

set local role supabase_storage_admin;

create or replace function storage.list_objects_with_delimiter(
  _bucket_id text,
  prefix_param text,
  delimiter_param text,
  max_keys integer default 100,
  start_after text default '',
  next_token text default '',
  sort_order text default 'asc'
) returns table (
  name text,
  id uuid,
  metadata jsonb,
  updated_at timestamptz,
  created_at timestamptz,
  last_accessed_at timestamptz
)
language plpgsql stable as $$
declare
  ascending constant boolean := lower(coalesce(sort_order, 'asc')) = 'asc';
  folder_prefix constant text := coalesce(prefix_param, '');
  cursor_key text := coalesce(nullif(next_token, ''), start_after, '');
  -- Sorts after whatever a folder holds.
  last_character constant text := chr(1114111);
  -- Row security lets only the comparisons of leakproof operators reach the index, so the prefix is a range too.
  bound constant text := case ascii(right(folder_prefix, 1))
    when 0 then null when 1114111 then null
    when 55295 then left(folder_prefix, -1) || chr(57344)
    else left(folder_prefix, -1) || chr(ascii(right(folder_prefix, 1)) + 1)
  end;
  run constant text := format(
    'select o.name, o.id, o.metadata, o.updated_at, o.created_at, o.last_accessed_at
     from storage.objects o
     where o.bucket_id = $1 and starts_with(o.name, $2) and o.name collate "C" >= $2
       and ($5 is null or o.name collate "C" < $5) and ($3 is null or o.name collate "C" %s $3)
     order by o.name collate "C" %s limit $4',
    case when ascending then '>' else '<' end, case when ascending then 'asc' else 'desc' end);
  seek text;
  batch integer := 1;
  fetched integer;
  emitted integer := 0;
  folder text;
  object record;
begin
  if cursor_key <> '' then
    if right(cursor_key, length(delimiter_param)) = delimiter_param then
      folder := cursor_key;
    elsif not exists (
      select from storage.objects o where o.bucket_id = _bucket_id and o.name = cursor_key
    ) and exists (
      select from storage.objects o
      where o.bucket_id = _bucket_id and o.name collate "C" >= cursor_key || delimiter_param
        and o.name collate "C" < cursor_key || delimiter_param || last_character
    ) then
      folder := cursor_key || delimiter_param;
    end if;
    seek := case
      when folder is null then cursor_key
      when ascending then folder || last_character
      else folder
    end;
  end if;

  while emitted < max_keys loop
    fetched := 0;
    for object in execute run using _bucket_id, folder_prefix, seek, batch, bound loop
      fetched := fetched + 1;
      folder := storage.get_common_prefix(object.name, folder_prefix, delimiter_param);
      if folder is not null then
        name := left(folder, -length(delimiter_param));
        id := null; metadata := null; updated_at := null; created_at := null; last_accessed_at := null;
        seek := case when ascending then folder || last_character else folder end;
      else
        name := object.name; id := object.id; metadata := object.metadata;
        updated_at := object.updated_at; created_at := object.created_at;
        last_accessed_at := object.last_accessed_at;
        seek := object.name;
      end if;
      return next;
      emitted := emitted + 1;
      exit when folder is not null or emitted >= max_keys;
    end loop;
    exit when fetched = 0;
    batch := case when folder is not null then 1 else least(batch * 4, 1000) end;
  end loop;
end
$$;

create or replace function storage.search(
  prefix text,
  bucketname text,
  limits integer default 100,
  levels integer default 1,
  offsets integer default 0,
  search text default '',
  sortcolumn text default 'name',
  sortorder text default 'asc'
) returns table (
  name text,
  id uuid,
  updated_at timestamptz,
  created_at timestamptz,
  last_accessed_at timestamptz,
  metadata jsonb
)
language plpgsql stable as $$
declare
  most constant integer := least(coalesce(limits, 100), 1500);
  ascending constant boolean := lower(coalesce(sortorder, 'asc')) = 'asc';
  direction constant text := case when ascending then 'asc' else 'desc' end;
  base_length constant integer := length(coalesce(prefix, ''));
  whole_prefix constant text := coalesce(prefix, '') || coalesce(search, '');
  lower_prefix constant text := lower(whole_prefix);
  bound constant text := case ascii(right(lower_prefix, 1))
    when 0 then null when 1114111 then null
    when 55295 then left(lower_prefix, -1) || chr(57344)
    else left(lower_prefix, -1) || chr(ascii(right(lower_prefix, 1)) + 1)
  end;
  sort_column constant text := case
    when lower(sortcolumn) in ('updated_at', 'created_at', 'last_accessed_at') then lower(sortcolumn)
    else 'name'
  end;
  run constant text := format(
    'select o.name, o.id, o.updated_at, o.created_at, o.last_accessed_at, o.metadata
     from storage.objects o
     where o.bucket_id = $1 and starts_with(lower(o.name), $2) and lower(o.name) collate "C" >= $2
       and ($5 is null or lower(o.name) collate "C" < $5) and ($3 is null or lower(o.name) collate "C" %s $3)
     order by lower(o.name) collate "C" %s limit $4',
    case when ascending then '>' else '<' end, direction);
  seek text;
  batch integer := 1;
  fetched integer;
  emitted integer := 0;
  skipped integer := 0;
  folder text;
  object record;
begin
  if sort_column <> 'name' then
    return query execute format(
      'with matching as (
         select o.*, storage.get_common_prefix(o.name, $1, ''/'') as folder
         from storage.objects o
         where o.bucket_id = $2 and starts_with(lower(o.name), lower($1))
       ), listed as (
         select distinct rtrim(m.folder, ''/'') as entry, null::uuid as id, null::timestamptz as updated_at,
           null::timestamptz as created_at, null::timestamptz as last_accessed_at, null::jsonb as metadata
         from matching m where m.folder is not null
         union all
         select m.name, m.id, m.updated_at, m.created_at, m.last_accessed_at, m.metadata
         from matching m where m.folder is null
       )
       select substr(l.entry, $3 + 1), l.id, l.updated_at, l.created_at, l.last_accessed_at, l.metadata
       from listed l
       order by l.id is not null, case when l.id is null then l.entry end %2$s, l.%1$I %2$s,
         l.entry %2$s
       limit $4 offset $5', sort_column, direction)
    using whole_prefix, bucketname, base_length, most, coalesce(offsets, 0);
    return;
  end if;

  while emitted < most loop
    fetched := 0;
    for object in execute run using bucketname, lower_prefix, seek, batch, bound loop
      fetched := fetched + 1;
      folder := storage.get_common_prefix(object.name, whole_prefix, '/');
      if folder is not null then
        name := substr(rtrim(folder, '/'), base_length + 1);
        id := null; updated_at := null; created_at := null; last_accessed_at := null; metadata := null;
        seek := case when ascending then lower(folder) || chr(1114111) else lower(folder) end;
      else
        name := substr(object.name, base_length + 1); id := object.id; updated_at := object.updated_at;
        created_at := object.created_at; last_accessed_at := object.last_accessed_at;
        metadata := object.metadata;
        seek := lower(object.name);
      end if;
      if skipped < coalesce(offsets, 0) then
        skipped := skipped + 1;
      else
        return next;
        emitted := emitted + 1;
      end if;
      exit when folder is not null or emitted >= most;
    end loop;
    exit when fetched = 0;
    batch := case when folder is not null then 1 else least(batch * 4, 1000) end;
  end loop;
end
$$;

create or replace function storage.search_by_timestamp(
  p_prefix text,
  p_bucket_id text,
  p_limit integer,
  p_level integer,
  p_start_after text,
  p_sort_order text,
  p_sort_column text,
  p_sort_column_after text
) returns table (
  key text,
  name text,
  id uuid,
  updated_at timestamptz,
  created_at timestamptz,
  last_accessed_at timestamptz,
  metadata jsonb
)
language plpgsql stable as $$
declare
  direction constant text := case when lower(p_sort_order) = 'desc' then 'desc' else 'asc' end;
  sort_column constant text := case when lower(p_sort_column) = 'updated_at' then 'updated_at' else 'created_at' end;
begin
  -- A folder is as old as its oldest object. Clients see milliseconds, so pages are cut by milliseconds.
  return query execute format(
    'with matching as (
       select o.*, storage.get_common_prefix(o.name, $1, ''/'') as folder
       from storage.objects o
       where o.bucket_id = $2 and starts_with(o.name, $1)
     ), listed as (
       select rtrim(m.folder, ''/'') as name, null::uuid as id, min(m.created_at) as updated_at,
         min(m.created_at) as created_at, null::timestamptz as last_accessed_at, null::jsonb as metadata
       from matching m where m.folder is not null group by m.folder
       union all
       select m.name, m.id, m.updated_at, m.created_at, m.last_accessed_at, m.metadata
       from matching m where m.folder is null
     ), placed as (
       select l.*, coalesce(date_trunc(''milliseconds'', l.%1$I), ''epoch'') as place from listed l
     )
     select split_part(p.name, ''/'', $3), p.name, p.id, p.updated_at, p.created_at, p.last_accessed_at, p.metadata
     from placed p
     where $5 = '''' or (p.place, p.name collate "C") %2$s
       (coalesce(nullif($6, '''')::timestamptz, ''epoch''), $5)
     order by p.place %3$s, p.name collate "C" %3$s
     limit $4', sort_column, case direction when 'asc' then '>' else '<' end, direction)
  using coalesce(p_prefix, ''), p_bucket_id, p_level, p_limit, rtrim(coalesce(p_start_after, ''), '/'),
    coalesce(p_sort_column_after, '');
end
$$;

create or replace function storage.search_v2(
  prefix text,
  bucket_name text,
  limits integer default 100,
  levels integer default 1,
  start_after text default '',
  sort_order text default 'asc',
  sort_column text default 'name',
  sort_column_after text default ''
) returns table (
  key text,
  name text,
  id uuid,
  updated_at timestamptz,
  created_at timestamptz,
  last_accessed_at timestamptz,
  metadata jsonb
)
language plpgsql stable as $$
declare
  most constant integer := least(coalesce(limits, 100), 1500);
begin
  if lower(sort_column) in ('created_at', 'updated_at') then
    return query
      select * from storage.search_by_timestamp(
        prefix, bucket_name, most, levels, start_after, sort_order, sort_column, sort_column_after);
    return;
  end if;
  return query
    select split_part(listed.name, '/', levels), listed.name, listed.id, listed.updated_at, listed.created_at,
      listed.last_accessed_at, listed.metadata
    from storage.list_objects_with_delimiter(
      bucket_name, prefix, '/', most, start_after, '',
      case when lower(sort_order) = 'desc' then 'desc' else 'asc' end) as listed;
end
$$;

create or replace function storage.get_size_by_bucket() returns table (size bigint, bucket_id text)
language plpgsql stable as $$
begin
  return query
    select sum((o.metadata ->> 'size')::bigint)::bigint, o.bucket_id
    from storage.objects o
    group by o.bucket_id;
end
$$;

-- Answers whether an insert would pass the policies, and leaves no row: it always raises when it would.
create or replace function storage.can_insert_object(bucketid text, name text, owner uuid, metadata jsonb)
returns void
language plpgsql as $$
begin
  insert into storage.objects (bucket_id, name, owner, metadata) values (bucketid, name, owner, metadata);
  raise sqlstate 'PT200' using message = 'ROLLBACK', detail = 'rollback successful insert';
end
$$;

reset role;
