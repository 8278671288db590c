-- The project's owner manages accounts by SQL; the roles of the API only ask who they are.

set local role supabase_auth_admin;

grant all on all tables in schema auth to postgres, dashboard_user;
grant all on all sequences in schema auth to postgres, dashboard_user;
grant all on all functions in schema auth to postgres, dashboard_user;
grant select on
  auth.audit_log_entries, auth.flow_state, auth.identities, auth.instances, auth.mfa_amr_claims,
  auth.mfa_challenges, auth.mfa_factors, auth.one_time_tokens, auth.refresh_tokens, auth.saml_providers,
  auth.saml_relay_states, auth.sessions, auth.sso_domains, auth.sso_providers, auth.users
  to postgres with grant option;
revoke all on auth.schema_migrations from postgres, dashboard_user;

reset role;
