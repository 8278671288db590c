-- The storage service's worker takes its part of the outbox: blobs that no row names any more.

grant select, update, delete on ownbase.outbox to supabase_storage_admin;

-- The API's roles hold every right on these tables, as in a hosted project, and TRUNCATE asks no policy.
create or replace function ownbase.refuse_truncate() returns trigger
language plpgsql set search_path = '' as $$
begin
  if current_user in ('anon', 'authenticated') then
    raise exception 'permission denied for table %', tg_table_name using errcode = 'insufficient_privilege';
  end if;
  return null;
end
$$;

set local role supabase_storage_admin;
create or replace trigger protect_objects_truncate
  before truncate on storage.objects for each statement execute function ownbase.refuse_truncate();
create or replace trigger protect_buckets_truncate
  before truncate on storage.buckets for each statement execute function ownbase.refuse_truncate();
create or replace trigger protect_buckets_analytics_truncate
  before truncate on storage.buckets_analytics for each statement execute function ownbase.refuse_truncate();
create or replace trigger protect_buckets_vectors_truncate
  before truncate on storage.buckets_vectors for each statement execute function ownbase.refuse_truncate();
create or replace trigger protect_vector_indexes_truncate
  before truncate on storage.vector_indexes for each statement execute function ownbase.refuse_truncate();
reset role;

-- Resumable uploads: how far each has come. Its bytes are in the object store, under its version.
create table if not exists ownbase.resumable_upload (
  version text primary key,
  bucket_id text not null,
  name text not null,
  -- Null until the client has said it.
  size bigint,
  received bigint not null default 0,
  -- MD5 of each piece that was received, in order.
  digests text[] not null default '{}',
  metadata jsonb not null,
  owner_id text,
  is_upsert boolean not null,
  is_finished boolean not null default false,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index if not exists resumable_upload_expiry on ownbase.resumable_upload (expires_at);
comment on table ownbase.resumable_upload is 'Uploads that a client may resume, until they expire.';
alter table ownbase.resumable_upload owner to supabase_admin;
grant select, insert, update, delete on ownbase.resumable_upload to supabase_storage_admin;
