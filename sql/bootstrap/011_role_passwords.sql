-- Passwords arrive as SCRAM verifiers in settings of this transaction: no password is part of a statement.

do $$
declare
  login text;
  verifier text;
begin
  foreach login in array array['postgres', 'authenticator', 'supabase_auth_admin', 'supabase_storage_admin',
    'supabase_functions_admin', 'supabase_read_only_user', 'pgbouncer']
  loop
    verifier := nullif(current_setting('ownbase.verifier_' || login, true), '');
    if verifier is not null then
      perform pg_temp.attempt(format('alter role %I password %L', login, verifier), 'role passwords');
    end if;
  end loop;
end
$$;
