-- The storage service's worker takes its part of the outbox: blobs that no row names any more.

grant select, update, delete on ownbase.outbox to supabase_storage_admin;
