import type { AdminClient } from '../../pg/connect.ts';
import { sql } from '../../pg/sql/sql.ts';

/**
 * Roles that a project made, without passwords, their memberships, and the settings that may be given to any role.
 * Upstream: supabase/cli apps/cli-go/pkg/migration/scripts/dump_role.sh
 */
export async function dumpRoles(client: AdminClient): Promise<string> {
  const rows = await client.query<{ statement: string }>(sql`
    with reserved as (
      select oid, rolname ~ '^(anon|authenticated|authenticator|cli_login_.*|dashboard_user|pgbouncer|postgres|service_role|supabase_.*|pgsodium_key.*|pgtle_admin|pg_.*)$' as is
      from pg_roles
    ), statements (place, name, statement) as (
      select 1, r.rolname, format('CREATE ROLE %I%s', r.rolname, concat(
        case when r.rolcanlogin then ' LOGIN' end, case when not r.rolinherit then ' NOINHERIT' end,
        case when r.rolcreatedb then ' CREATEDB' end, case when r.rolcreaterole then ' CREATEROLE' end,
        case when r.rolbypassrls then ' BYPASSRLS' end,
        case when r.rolconnlimit >= 0 then ' CONNECTION LIMIT ' || r.rolconnlimit end))
      from pg_roles r join reserved on reserved.oid = r.oid where not reserved.is
      union all
      select 2, r.rolname, format('ALTER ROLE %I SET %s TO %L', r.rolname, split_part(setting, '=', 1),
        substr(setting, strpos(setting, '=') + 1))
      from pg_roles r join reserved on reserved.oid = r.oid cross join unnest(r.rolconfig) setting
      where not reserved.is
        or setting ~ '^(pgaudit\\..*|pgrst\\..*|session_replication_role|statement_timeout|track_io_timing)='
      union all
      select 3, m.rolname, format('GRANT %I TO %I%s', g.rolname, m.rolname,
        case when a.admin_option then ' WITH ADMIN OPTION' else '' end)
      from pg_auth_members a join pg_roles g on g.oid = a.roleid join pg_roles m on m.oid = a.member
      join reserved on reserved.oid = m.oid where not reserved.is
    )
    select statement from statements order by place, name, statement`);
  return `${rows.map(({ statement }) => `${statement};\n`).join('')}\nRESET ALL;\n`;
}
