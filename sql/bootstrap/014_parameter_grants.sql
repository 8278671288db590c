-- Settings of others that a project's migrations change: the API's in-database configuration and what hosted
-- projects may tune. A placeholder setting is otherwise the superuser's alone.

do $$
declare
  parameter text;
begin
  foreach parameter in array array[
    'pgrst.client_error_verbosity', 'pgrst.db_aggregates_enabled', 'pgrst.db_anon_role', 'pgrst.db_channel',
    'pgrst.db_extra_search_path', 'pgrst.db_hoisted_tx_settings', 'pgrst.db_max_rows', 'pgrst.db_plan_enabled',
    'pgrst.db_pre_config', 'pgrst.db_pre_request', 'pgrst.db_prepared_statements', 'pgrst.db_root_spec',
    'pgrst.db_schemas', 'pgrst.db_tx_end', 'pgrst.db_use_legacy_gucs', 'pgrst.jwt_aud',
    'pgrst.jwt_cache_max_lifetime', 'pgrst.jwt_role_claim_key', 'pgrst.jwt_secret',
    'pgrst.jwt_secret_is_base64', 'pgrst.openapi_mode', 'pgrst.openapi_security_active',
    'pgrst.openapi_server_proxy_uri', 'pgrst.raw_media_types', 'pgrst.server_cors_allowed_origins',
    'pgrst.server_timing_enabled', 'pgrst.server_trace_header', 'pgrst.url_use_legacy_target_names',
    'app.settings.jwt_secret', 'app.settings.jwt_exp',
    'deadlock_timeout', 'log_lock_waits', 'log_min_duration_statement', 'log_min_messages',
    'log_parameter_max_length', 'log_replication_commands', 'log_statement', 'log_temp_files',
    'session_replication_role', 'track_functions', 'track_io_timing', 'wal_compression'
  ]
  loop
    perform pg_temp.attempt(format('grant set on parameter %s to postgres', parameter), 'settings of roles');
  end loop;
end
$$;
