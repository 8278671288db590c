-- Message queues as plain tables, where the server does not have pgmq. A message is invisible from its read until
-- its time is up, and so is delivered again unless it was deleted or archived.

create schema if not exists pgmq authorization supabase_admin;
grant usage, create on schema pgmq to postgres with grant option;

do $$
begin
  if to_regtype('pgmq.message_record') is null then
    create type pgmq.message_record as (
      msg_id bigint, read_ct integer, enqueued_at timestamptz, vt timestamptz, message jsonb, headers jsonb);
  end if;
  if to_regtype('pgmq.queue_record') is null then
    create type pgmq.queue_record as (
      queue_name character varying, is_partitioned boolean, is_unlogged boolean, created_at timestamptz);
  end if;
  if to_regtype('pgmq.metrics_result') is null then
    create type pgmq.metrics_result as (
      queue_name text, queue_length bigint, newest_msg_age_sec integer, oldest_msg_age_sec integer,
      total_messages bigint, scrape_time timestamptz, queue_visible_length bigint);
  end if;
end
$$;

create table if not exists pgmq.meta (
  queue_name character varying not null unique,
  is_partitioned boolean not null,
  is_unlogged boolean not null,
  created_at timestamptz not null default now()
);
alter table pgmq.meta owner to postgres;

-- The queue's table (`q`) or its archive's (`a`).
create or replace function pgmq.format_table_name(queue_name text, prefix text) returns text
language plpgsql immutable as $$
begin
  if queue_name ~ '\$|;|--|''' then
    raise exception 'queue name contains invalid characters: $, ;, --, or ''';
  end if;
  return lower(prefix || '_' || queue_name);
end
$$;

create or replace function pgmq.validate_queue_name(queue_name text) returns void
language plpgsql as $$
begin
  if length(queue_name) >= 48 then
    raise exception 'queue name is too long, maximum length is 48 characters';
  end if;
end
$$;

create or replace function pgmq.make_queue(queue_name text, unlogged boolean) returns void
language plpgsql as $$
declare
  queue constant text := pgmq.format_table_name(queue_name, 'q');
  archive constant text := pgmq.format_table_name(queue_name, 'a');
begin
  perform pgmq.validate_queue_name(queue_name);
  perform pg_advisory_xact_lock(hashtext('pgmq.queue_' || queue_name));
  if exists (select from pgmq.meta m where m.queue_name = make_queue.queue_name) then
    return;
  end if;
  execute format(
    'create %s table if not exists pgmq.%I (
       msg_id bigint primary key generated always as identity,
       read_ct integer not null default 0,
       enqueued_at timestamptz not null default now(),
       vt timestamptz not null,
       message jsonb,
       headers jsonb
     )', case when unlogged then 'unlogged' else '' end, queue);
  execute format(
    'create table if not exists pgmq.%I (
       msg_id bigint primary key,
       read_ct integer not null default 0,
       enqueued_at timestamptz not null default now(),
       archived_at timestamptz not null default now(),
       vt timestamptz not null,
       message jsonb,
       headers jsonb
     )', archive);
  execute format('create index if not exists %I on pgmq.%I (vt)', queue || '_vt_idx', queue);
  execute format('create index if not exists %I on pgmq.%I (archived_at)', 'archived_at_idx_' || queue_name, archive);
  insert into pgmq.meta (queue_name, is_partitioned, is_unlogged) values (make_queue.queue_name, false, unlogged);
end
$$;

create or replace function pgmq.create_non_partitioned(queue_name text) returns void
language sql as $$ select pgmq.make_queue(queue_name, false) $$;

create or replace function pgmq.create_unlogged(queue_name text) returns void
language sql as $$ select pgmq.make_queue(queue_name, true) $$;

create or replace function pgmq.create(queue_name text) returns void
language sql as $$ select pgmq.make_queue(queue_name, false) $$;

create or replace function pgmq.create_partitioned(
  queue_name text, partition_interval text default '10000', retention_interval text default '100000'
) returns void
language sql as $$ select pgmq.make_queue(queue_name, false) $$;

create or replace function pgmq.drop_queue(queue_name text) returns boolean
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext('pgmq.queue_' || queue_name));
  execute format('drop table if exists pgmq.%I', pgmq.format_table_name(queue_name, 'q'));
  execute format('drop table if exists pgmq.%I', pgmq.format_table_name(queue_name, 'a'));
  delete from pgmq.meta m where m.queue_name = drop_queue.queue_name;
  return found;
end
$$;

create or replace function pgmq.drop_queue(queue_name text, partitioned boolean) returns boolean
language sql as $$ select pgmq.drop_queue(queue_name) $$;

create or replace function pgmq.detach_archive(queue_name text) returns void
language sql as $$ select null::void $$;

create or replace function pgmq.list_queues() returns setof pgmq.queue_record
language sql as $$
  select (m.queue_name, m.is_partitioned, m.is_unlogged, m.created_at)::pgmq.queue_record from pgmq.meta m
$$;

-- Sending.

create or replace function pgmq.send_batch(
  queue_name text, msgs jsonb[], headers jsonb[], delay timestamptz
) returns setof bigint
language plpgsql as $$
begin
  return query execute format(
    'insert into pgmq.%I (vt, message, headers)
     select $3, message, headers from unnest($1, $2) with ordinality as sent (message, headers, place)
     order by place returning msg_id',
    pgmq.format_table_name(queue_name, 'q'))
  using msgs, coalesce(headers, array_fill(null::jsonb, array[cardinality(msgs)])), delay;
end
$$;

create or replace function pgmq.send_batch(queue_name text, msgs jsonb[], headers jsonb[], delay integer)
returns setof bigint
language sql as $$
  select pgmq.send_batch(queue_name, msgs, headers, clock_timestamp() + make_interval(secs => delay))
$$;

create or replace function pgmq.send_batch(queue_name text, msgs jsonb[], headers jsonb[]) returns setof bigint
language sql as $$ select pgmq.send_batch(queue_name, msgs, headers, clock_timestamp()) $$;

create or replace function pgmq.send_batch(queue_name text, msgs jsonb[], delay timestamptz) returns setof bigint
language sql as $$ select pgmq.send_batch(queue_name, msgs, null, delay) $$;

create or replace function pgmq.send_batch(queue_name text, msgs jsonb[], delay integer) returns setof bigint
language sql as $$ select pgmq.send_batch(queue_name, msgs, null, delay) $$;

create or replace function pgmq.send_batch(queue_name text, msgs jsonb[]) returns setof bigint
language sql as $$ select pgmq.send_batch(queue_name, msgs, null, clock_timestamp()) $$;

create or replace function pgmq.send(queue_name text, msg jsonb, headers jsonb, delay timestamptz)
returns setof bigint
language sql as $$ select pgmq.send_batch(queue_name, array[msg], array[headers], delay) $$;

create or replace function pgmq.send(queue_name text, msg jsonb, headers jsonb, delay integer)
returns setof bigint
language sql as $$ select pgmq.send_batch(queue_name, array[msg], array[headers], delay) $$;

create or replace function pgmq.send(queue_name text, msg jsonb, headers jsonb) returns setof bigint
language sql as $$ select pgmq.send_batch(queue_name, array[msg], array[headers], clock_timestamp()) $$;

create or replace function pgmq.send(queue_name text, msg jsonb, delay timestamptz) returns setof bigint
language sql as $$ select pgmq.send_batch(queue_name, array[msg], null, delay) $$;

create or replace function pgmq.send(queue_name text, msg jsonb, delay integer) returns setof bigint
language sql as $$ select pgmq.send_batch(queue_name, array[msg], null, delay) $$;

create or replace function pgmq.send(queue_name text, msg jsonb) returns setof bigint
language sql as $$ select pgmq.send_batch(queue_name, array[msg], null, clock_timestamp()) $$;

-- Receiving.

create or replace function pgmq.read(queue_name text, vt integer, qty integer, conditional jsonb default '{}')
returns setof pgmq.message_record
language plpgsql as $$
begin
  return query execute format(
    'with due as (
       select msg_id from pgmq.%1$I
       where vt <= clock_timestamp() and ($3 = ''{}'' or message @> $3)
       order by msg_id limit $1 for update skip locked
     )
     update pgmq.%1$I m
     set vt = clock_timestamp() + make_interval(secs => $2), read_ct = read_ct + 1
     from due where m.msg_id = due.msg_id
     returning m.msg_id, m.read_ct, m.enqueued_at, m.vt, m.message, m.headers',
    pgmq.format_table_name(queue_name, 'q'))
  using qty, vt, conditional;
end
$$;

create or replace function pgmq.read_with_poll(
  queue_name text,
  vt integer,
  qty integer,
  max_poll_seconds integer default 5,
  poll_interval_ms integer default 100,
  conditional jsonb default '{}'
) returns setof pgmq.message_record
language plpgsql as $$
declare
  until constant timestamptz := clock_timestamp() + make_interval(secs => max_poll_seconds);
begin
  loop
    return query select * from pgmq.read(queue_name, vt, qty, conditional);
    exit when found or clock_timestamp() >= until;
    perform pg_sleep(poll_interval_ms / 1000.0);
  end loop;
end
$$;

create or replace function pgmq.pop(queue_name text, qty integer default 1) returns setof pgmq.message_record
language plpgsql as $$
begin
  return query execute format(
    'with due as (
       select msg_id from pgmq.%1$I where vt <= clock_timestamp()
       order by msg_id limit $1 for update skip locked
     )
     delete from pgmq.%1$I where msg_id in (select msg_id from due)
     returning msg_id, read_ct, enqueued_at, vt, message, headers',
    pgmq.format_table_name(queue_name, 'q'))
  using qty;
end
$$;

create or replace function pgmq.set_vt(queue_name text, msg_id bigint, vt integer)
returns setof pgmq.message_record
language plpgsql as $$
begin
  return query execute format(
    'update pgmq.%I set vt = clock_timestamp() + make_interval(secs => $2) where msg_id = $1
     returning msg_id, read_ct, enqueued_at, vt, message, headers',
    pgmq.format_table_name(queue_name, 'q'))
  using msg_id, vt;
end
$$;

-- Being done with a message.

create or replace function pgmq.archive(queue_name text, msg_ids bigint[]) returns setof bigint
language plpgsql as $$
begin
  return query execute format(
    'with gone as (
       delete from pgmq.%I where msg_id = any ($1)
       returning msg_id, vt, read_ct, enqueued_at, message, headers
     )
     insert into pgmq.%I (msg_id, vt, read_ct, enqueued_at, message, headers)
     select msg_id, vt, read_ct, enqueued_at, message, headers from gone returning msg_id',
    pgmq.format_table_name(queue_name, 'q'), pgmq.format_table_name(queue_name, 'a'))
  using msg_ids;
end
$$;

create or replace function pgmq.archive(queue_name text, msg_id bigint) returns boolean
language sql as $$ select exists (select from pgmq.archive(queue_name, array[msg_id])) $$;

create or replace function pgmq.delete(queue_name text, msg_ids bigint[]) returns setof bigint
language plpgsql as $$
begin
  return query execute format('delete from pgmq.%I where msg_id = any ($1) returning msg_id',
    pgmq.format_table_name(queue_name, 'q'))
  using msg_ids;
end
$$;

create or replace function pgmq.delete(queue_name text, msg_id bigint) returns boolean
language sql as $$ select exists (select from pgmq.delete(queue_name, array[msg_id])) $$;

create or replace function pgmq.purge_queue(queue_name text) returns bigint
language plpgsql as $$
declare
  purged bigint;
begin
  execute format('delete from pgmq.%I', pgmq.format_table_name(queue_name, 'q'));
  get diagnostics purged = row_count;
  return purged;
end
$$;

-- Watching.

create or replace function pgmq.metrics(queue_name text) returns pgmq.metrics_result
language plpgsql as $$
declare
  measured pgmq.metrics_result;
  queue constant text := pgmq.format_table_name(queue_name, 'q');
begin
  execute format(
    'select $1, count(*), extract(epoch from now() - max(enqueued_at))::integer,
       extract(epoch from now() - min(enqueued_at))::integer,
       coalesce(pg_sequence_last_value(pg_get_serial_sequence(%L, ''msg_id'')::regclass), 0), now(),
       count(*) filter (where vt <= now())
     from pgmq.%I', format('pgmq.%I', queue), queue)
  into measured using queue_name;
  return measured;
end
$$;

create or replace function pgmq.metrics_all() returns setof pgmq.metrics_result
language sql as $$ select pgmq.metrics(m.queue_name) from pgmq.meta m $$;

grant all on all tables in schema pgmq to postgres with grant option;
grant all on all functions in schema pgmq to postgres with grant option;
