-- The private schema: what the services keep for themselves.

create table if not exists ownbase.bootstrap (
  singleton boolean primary key default true check (singleton),
  fingerprint text not null,
  version integer not null,
  degraded jsonb not null default '[]',
  applied_at timestamptz not null default now()
);
comment on table ownbase.bootstrap is 'What was applied to this database last.';

create table if not exists ownbase.bootstrap_step (
  step text primary key,
  applied_at timestamptz not null default now()
);
comment on table ownbase.bootstrap_step is 'Steps that run once, so that what an owner changed afterwards stays changed.';

create table if not exists ownbase.instance (
  key text primary key,
  value text not null,
  updated_at timestamptz not null default now()
);
comment on table ownbase.instance is 'Facts about this instance that outlive a process.';

create table if not exists ownbase.outbox (
  id bigint generated always as identity primary key,
  kind text not null,
  payload jsonb not null,
  attempts integer not null default 0,
  run_after timestamptz not null default now(),
  created_at timestamptz not null default now()
);
create index if not exists outbox_due on ownbase.outbox (run_after, id);
comment on table ownbase.outbox is 'Work to do after a commit: written in the transaction that makes it necessary.';

alter table ownbase.bootstrap owner to supabase_admin;
alter table ownbase.bootstrap_step owner to supabase_admin;
alter table ownbase.instance owner to supabase_admin;
alter table ownbase.outbox owner to supabase_admin;

-- The services' logins (never a role that a request may take) put work into the outbox.
grant usage on schema ownbase to authenticator, supabase_auth_admin, supabase_storage_admin;
grant insert on ownbase.outbox to authenticator, supabase_auth_admin, supabase_storage_admin;
