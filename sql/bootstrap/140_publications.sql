-- What is streamed: the tables a project chooses, and messages. `postgres` owns the first, so migrations may change it.

do $$
declare
  owner name := (select pg_get_userbyid(pubowner) from pg_publication where pubname = 'supabase_realtime');
begin
  if owner is null then
    create publication supabase_realtime with (publish = 'insert, update, delete, truncate');
    owner := current_user;
  end if;
  -- A publication of all tables can belong to superusers only.
  if owner <> 'postgres' and not (select puballtables from pg_publication where pubname = 'supabase_realtime') then
    perform pg_temp.attempt('alter publication supabase_realtime owner to postgres', 'publication owner');
  end if;
  if not exists (select from pg_publication where pubname = 'supabase_realtime_messages_publication') then
    perform pg_temp.attempt(
      'create publication supabase_realtime_messages_publication for table realtime.messages', 'message stream');
  end if;
end
$$;
