import type { StepRunner } from '../../catalog/introspect.ts';
import type { QualifiedName } from '../../catalog/model.ts';
import { toIsolation } from '../../catalog/routines.ts';
import type { Step } from '../../pg/pipeline.ts';
import type { Isolation } from '../../pg/session.ts';
import { compile, type Sql, sql } from '../../pg/sql/sql.ts';
import type { RoleConfig } from './assemble.ts';

/** Settings that the database may make: those that can change while the service runs. */
const settingNames = [
  'db_aggregates_enabled',
  'db_anon_role',
  'db_extra_search_path',
  'db_hoisted_tx_settings',
  'db_max_rows',
  'db_plan_enabled',
  'db_pre_config',
  'db_pre_request',
  'db_prepared_statements',
  'db_root_spec',
  'db_schemas',
  'db_tx_end',
  'jwt_aud',
  'jwt_cache_max_entries',
  'jwt_role_claim_key',
  'jwt_secret',
  'jwt_secret_is_base64',
  'openapi_mode',
  'openapi_security_active',
  'openapi_server_proxy_uri',
  'server_cors_allowed_origins',
  'server_timing_enabled',
  'server_trace_header',
].map((name) => `pgrst.${name}`);

/**
 * `pgrst.*` settings of the login role: of the role in this database first, of the role anywhere next, then what the
 * configuration function has just set. `json_object_agg` keeps the last of equal keys, so the strongest comes last.
 */
const settingsStatement = (hasPreConfig: boolean): Sql => sql`
  select coalesce(json_object_agg(replace(name, 'pgrst.', ''), value order by strength), '{}')
    from (
      select split_part(setting, '=', 1) as name, substr(setting, strpos(setting, '=') + 1) as value,
             case setdatabase when 0 then 1 else 2 end as strength
        from pg_db_role_setting cross join unnest(setconfig) setting
       where setrole = (select oid from pg_roles where rolname = current_user)
         and setdatabase in (0, (select oid from pg_database where datname = current_catalog))
      union all
      select name, current_setting(name, true), 0 from unnest(${settingNames}::text[]) name where ${hasPreConfig}::bool
    ) made
   where name = any(${settingNames}::text[]) and value is not null`;

/**
 * Settings of the roles that the login role may take, as far as it is allowed to make them for a request.
 * Upstream: PostgREST src/PostgREST/Config/Database.hs (queryRoleSettings).
 */
const rolesStatement: Sql = sql`
  select coalesce(json_agg(json_build_array(r.rolname, s.name, substr(entry, strpos(entry, '=') + 1))), '[]')
    from pg_auth_members m
    join pg_roles r on r.oid = m.roleid
   cross join unnest(r.rolconfig) entry
    join pg_settings s on s.name = split_part(entry, '=', 1)
   where m.member = (select oid from pg_roles where rolname = current_user)
     and (s.context = 'user' or has_parameter_privilege(current_user, s.name, 'set'))`;

/** What the database says about the service's configuration. */
export type InDatabaseConfig = {
  /** By name without `pgrst.`. */
  readonly settings: ReadonlyMap<string, string>;
  readonly roles: RoleConfig;
};

const toStep = (statement: Sql): Step => ({ statement: compile(statement), scope: null, rows: 'text' });

const callFunction = ({ schema, name }: QualifiedName): Sql =>
  sql`select ${schema === '' ? sql.ident(name) : sql.ident(schema, name)}()`;

/** Reads the configuration from the database, after the configuration function has run. Rejects with `PgFailure`. */
export async function readInDatabaseConfig(
  runner: StepRunner,
  preConfig: QualifiedName | null,
): Promise<InDatabaseConfig> {
  const steps = [settingsStatement(preConfig !== null), rolesStatement].map(toStep);
  const results = await runner.run(preConfig === null ? steps : [toStep(callFunction(preConfig)), ...steps]);
  const [settings, roles] = results
    .slice(-2)
    .map((result): unknown => JSON.parse(result.rows[0]?.[0] ?? 'null'));
  // The statements above build these two documents.
  return {
    settings: new Map(Object.entries(settings as Record<string, string>)),
    roles: toRoleConfig(roles as readonly (readonly [string, string, string])[]),
  };
}

function toRoleConfig(rows: readonly (readonly [role: string, name: string, value: string])[]): RoleConfig {
  const roleSettings = new Map<string, (readonly [string, string])[]>();
  const roleIsolation = new Map<string, Isolation>();
  for (const [role, name, value] of rows) {
    if (name === 'default_transaction_isolation') roleIsolation.set(role, toIsolation(value));
    else roleSettings.set(role, [...(roleSettings.get(role) ?? []), [name, value]]);
  }
  return { roleSettings, roleIsolation };
}

/** What counts when the database is not asked. */
export const noInDatabaseConfig: InDatabaseConfig = {
  settings: new Map(),
  roles: { roleSettings: new Map(), roleIsolation: new Map() },
};
