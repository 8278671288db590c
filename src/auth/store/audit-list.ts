import { sql } from '../../pg/sql/sql.ts';
import type { JsonObject, Timestamp } from './rows.ts';
import type { Queryable } from './users.ts';

/** A row of the audit log. */
export type AuditEntry = {
  readonly id: string;
  readonly payload: JsonObject | null;
  readonly created_at: Timestamp | null;
  readonly ip_address: string;
};

/** A page of the audit log, newest first, and how many entries there are; no members list all. */
export async function listAuditEntries(
  db: Queryable,
  members: readonly string[],
  text: string,
  limit: number,
  offset: number,
): Promise<{ readonly entries: readonly AuditEntry[]; readonly total: number }> {
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  const conditions = members.map((member) => sql`payload ->> ${member} ilike ${pattern}`);
  const where = conditions.length === 0 ? sql`true` : sql`(${sql.join(conditions, ' or ')})`;
  const entries = await db.query<AuditEntry>(sql`
    select id, payload, created_at, ip_address from auth.audit_log_entries where ${where}
    order by created_at desc, id limit ${limit} offset ${offset}`);
  const [count] = await db.query<{ total: string }>(sql`
    select count(*) as total from auth.audit_log_entries where ${where}`);
  return { entries, total: Number(count?.total ?? 0) };
}
