-- The ledger that upstream's migration runner keeps.

set local role supabase_storage_admin;

create table if not exists storage.migrations (
  id integer not null,
  name varchar(100) not null,
  hash varchar(40) not null,
  executed_at timestamp default current_timestamp,
  constraint migrations_name_key unique (name),
  constraint migrations_pkey primary key (id)
);
alter table storage.migrations enable row level security;

reset role;
