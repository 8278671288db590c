-- What the storage service writes into and reads from the outbox. A request's transaction drops the request's role
-- before it enqueues, so the API's roles have no way in; the login may add work and nothing else.

grant usage on schema ownbase to authenticator, supabase_storage_admin;
grant insert on ownbase.outbox to authenticator;
grant select, insert, update, delete on ownbase.outbox to supabase_storage_admin;
