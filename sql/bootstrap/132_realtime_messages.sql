-- Messages: what the database broadcasts, and the table whose policies decide about private channels.
-- One partition per day, so that old days are dropped as a whole.

set local role supabase_realtime_admin;

create table if not exists realtime.messages (
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default now(),
  inserted_at timestamp not null default now(),
  id uuid not null default gen_random_uuid(),
  binary_payload bytea,
  constraint messages_pkey primary key (id, inserted_at)
) partition by range (inserted_at);
create index if not exists messages_inserted_at_topic_index on only realtime.messages (inserted_at desc, topic)
  where extension = 'broadcast' and private is true;
alter table realtime.messages enable row level security;

do $$
begin
  if not exists (select from pg_constraint where conname = 'messages_payload_exclusive'
    and conrelid = 'realtime.messages'::regclass) then
    alter table realtime.messages
      add constraint messages_payload_exclusive check (payload is null or binary_payload is null) not valid;
  end if;
end
$$;

-- Broadcasts from SQL with the caller's rights. A message that cannot be stored is a warning: the transaction that
-- wanted to tell others goes on.
create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true)
returns void
language plpgsql as $$
declare
  message_id constant uuid := gen_random_uuid();
begin
  perform set_config('realtime.topic', send.topic, true);
  insert into realtime.messages (id, payload, event, topic, private, extension)
  values (
    message_id,
    case when send.payload ? 'id' then send.payload
      else jsonb_set(send.payload, '{id}', to_jsonb(message_id)) end,
    send.event, send.topic, send.private, 'broadcast');
exception
  when others then
    raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end
$$;

create or replace function realtime.send_binary(payload bytea, event text, topic text, private boolean default true)
returns void
language plpgsql as $$
begin
  perform set_config('realtime.topic', send_binary.topic, true);
  insert into realtime.messages (binary_payload, event, topic, private, extension)
  values (send_binary.payload, send_binary.event, send_binary.topic, send_binary.private, 'broadcast');
exception
  when others then
    raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end
$$;

-- For row triggers: broadcasts the row before and after.
create or replace function realtime.broadcast_changes(
  topic_name text,
  event_name text,
  operation text,
  table_name text,
  table_schema text,
  new record,
  old record,
  level text default 'ROW'
) returns void
language plpgsql as $$
begin
  if level = 'STATEMENT' then
    raise exception 'function can only be triggered for each row, not for each statement';
  elsif operation not in ('INSERT', 'UPDATE', 'DELETE') then
    raise exception 'Unexpected operation type: %', operation;
  end if;
  perform realtime.send(
    jsonb_build_object(
      'old_record', old, 'record', new, 'operation', operation, 'table', table_name, 'schema', table_schema),
    event_name, topic_name);
exception
  when others then
    raise exception 'Failed to process the row: %', sqlerrm;
end
$$;

reset role;

-- Makes the partitions of these days; yields how many were missing. A day without one loses its messages, so this
-- runs at every start and daily.
create or replace function ownbase.ensure_message_partitions(
  first_day date default (now() at time zone 'utc')::date - 1,
  last_day date default (now() at time zone 'utc')::date + 3
) returns integer
language plpgsql set search_path = '' as $$
declare
  day date;
  partition text;
  made integer := 0;
begin
  for day in select generate_series(first_day, last_day, '1 day')::date loop
    partition := to_char(day, '"messages_"YYYY_MM_DD');
    -- Asked first: `if not exists` would lock the table before it looks.
    continue when to_regclass('realtime.' || partition) is not null;
    execute format('create table if not exists realtime.%I partition of realtime.messages for values from (%L) to (%L)',
      partition, day, day + 1);
    execute format('alter table realtime.%I owner to supabase_realtime_admin', partition);
    made := made + 1;
  end loop;
  return made;
end
$$;

-- Drops the partitions of days before this one; yields how many.
create or replace function ownbase.drop_message_partitions(
  before date default (now() at time zone 'utc')::date - 3
) returns integer
language plpgsql set search_path = '' as $$
declare
  partition name;
  dropped integer := 0;
begin
  for partition in
    select c.relname
    from pg_catalog.pg_inherits i
    join pg_catalog.pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'realtime.messages'::regclass and c.relname ~ '^messages_\d{4}_\d\d_\d\d$'
      and to_date(substr(c.relname, 10), 'YYYY_MM_DD') < before
  loop
    execute format('drop table realtime.%I', partition);
    dropped := dropped + 1;
  end loop;
  return dropped;
end
$$;

revoke all on function ownbase.ensure_message_partitions, ownbase.drop_message_partitions from public;

select ownbase.ensure_message_partitions();
