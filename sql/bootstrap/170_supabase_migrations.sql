-- The history of a project's own migrations and seeds, where the Supabase CLI looks for it.

set local role postgres;

create table if not exists supabase_migrations.schema_migrations (
  version text primary key,
  statements text[],
  name text
);

create table if not exists supabase_migrations.seed_files (
  path text primary key,
  hash text not null
);

reset role;
