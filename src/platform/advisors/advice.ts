import { type Sql, sql } from '../../pg/sql/sql.ts';
import { isProjectSchema } from '../managed-schemas.ts';

/** How much a finding matters. */
export type Level = 'INFO' | 'WARN' | 'ERROR';
export type Category = 'SECURITY' | 'PERFORMANCE';

/**
 * Something that is examined in a database, under the name, level and metadata that the Supabase CLI gives it.
 * Upstream: supabase/cli apps/cli-go/internal/db/advisors/templates/lints.sql
 */
export type Advice = {
  readonly name: string;
  readonly title: string;
  readonly level: Level;
  readonly category: Category;
  readonly description: string;
  readonly remediation: string;
  /**
   * A row for each finding: `detail` for people, `metadata` for programs, `key` with what tells it from others of its
   * name. Runs with pg_catalog as the only schema of the search path, so that expressions name every schema.
   */
  readonly findings: (exposed: readonly string[]) => Sql;
  /** Start of the cache key, where it is not the name. */
  readonly keyPrefix?: string;
};

/** The owning extension of something makes it none of the project's. */
export const isOfNoExtension = (catalog: Sql, oid: Sql): Sql => sql`not exists (
  select from pg_depend e where e.classid = ${catalog}::regclass and e.objid = ${oid} and e.deptype = 'e')`;

/** Tables, views and the like of the project: `c` is the relation, `n` its schema. */
export const projectRelations: Sql = sql`pg_class c join pg_namespace n on n.oid = c.relnamespace
  and ${isProjectSchema(sql`n.nspname`)} and ${isOfNoExtension(sql`'pg_class'`, sql`c.oid`)}`;

/** Whether clients of the API can read the relation `c`. */
export const isReadByClients: Sql = sql`(
  exists (select from pg_roles r where r.rolname in ('anon', 'authenticated')
    and has_table_privilege(r.oid, c.oid, 'select')))`;

/** Policies `p` with their expressions, on the relation `c` of the schema `n`. */
export const policies: Sql = sql`(
  select polname, polrelid, polpermissive, polroles, polcmd,
    pg_get_expr(polqual, polrelid) as qual, pg_get_expr(polwithcheck, polrelid) as with_check
  from pg_policy) p
  join pg_class c on c.oid = p.polrelid
  join pg_namespace n on n.oid = c.relnamespace`;

/** Metadata that names a relation. */
export const relation = (type: string): Sql =>
  sql`jsonb_build_object('schema', n.nspname, 'name', c.relname, 'type', ${type}::text)`;

/** Whether a view `c` is read with the rights of who asks, not of its owner. */
export const isInvokersView: Sql = sql`exists (
  select from pg_options_to_table(c.reloptions) o
  where o.option_name = 'security_invoker' and lower(o.option_value) in ('1', 'true', 'yes', 'on'))`;
