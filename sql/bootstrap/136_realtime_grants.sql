-- Who writes and reads messages is for the policies on them; without one nobody does.

set local role supabase_realtime_admin;

grant all on realtime.messages, realtime.subscription to postgres, dashboard_user;
grant select, insert, update on realtime.messages to anon, authenticated, service_role;
grant select on realtime.subscription to anon, authenticated, service_role;
grant all on sequence realtime.subscription_id_seq to postgres, dashboard_user;
grant usage on sequence realtime.subscription_id_seq to anon, authenticated, service_role;

grant all on all functions in schema realtime to postgres, dashboard_user;
grant execute on function
  realtime.apply_rls, realtime.build_prepared_statement_sql, realtime."cast",
  realtime.check_equality_op(realtime.equality_op, regtype, text, text),
  realtime.check_equality_op(realtime.equality_op, regtype, text, text, boolean),
  realtime.is_visible_through_filters, realtime.quote_wal2json, realtime.subscription_check_filters,
  realtime.to_regrole
  to anon, authenticated, service_role;

reset role;

revoke all on realtime.schema_migrations from postgres, dashboard_user, anon, authenticated, service_role;
