-- Subscriptions to changes, as upstream keeps them, and the two functions of its change stream.

set local role supabase_realtime_admin;

create table if not exists realtime.subscription (
  id bigint generated always as identity,
  subscription_id uuid not null,
  entity regclass not null,
  filters realtime.user_defined_filter[] not null default '{}',
  claims jsonb not null,
  claims_role regrole not null generated always as (realtime.to_regrole(claims ->> 'role')) stored,
  created_at timestamp not null default timezone('utc', now()),
  action_filter text default '*',
  selected_columns text[],
  constraint pk_subscription primary key (id),
  constraint subscription_action_filter_check check (action_filter in ('*', 'INSERT', 'UPDATE', 'DELETE'))
);
create index if not exists ix_realtime_subscription_entity on realtime.subscription (entity);
create unique index if not exists subscription_subscription_id_entity_filters_action_filter_selec
  on realtime.subscription
  (subscription_id, entity, filters, action_filter, coalesce(selected_columns, '{}'::text[]));
create or replace trigger tr_check_filters before insert or update on realtime.subscription
  for each row execute function realtime.subscription_check_filters();

-- Changes reach subscribers from the replication stream, each checked as its reader; these two names exist for dumps.
create or replace function realtime.apply_rls(wal jsonb, max_record_bytes integer default (1024 * 1024))
returns setof realtime.wal_rls
language plpgsql as $$
begin
  raise exception 'realtime.apply_rls is not used by this server'
    using errcode = '0A000', hint = 'Changes are read from the replication stream.';
end
$$;

create or replace function realtime.list_changes(
  publication name, slot_name name, max_changes integer, max_record_bytes integer
) returns table (
  wal jsonb, is_rls_enabled boolean, subscription_ids uuid[], errors text[], slot_changes_count bigint
)
language plpgsql as $$
begin
  raise exception 'realtime.list_changes is not used by this server'
    using errcode = '0A000', hint = 'Changes are read from the replication stream.';
end
$$;

reset role;
