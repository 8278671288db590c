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
reset role;
