import { type HttpReply, jsonReply } from '../../../http/exchange.ts';
import type { AdminCall } from '../../call.ts';
import type { AuthContext } from '../../context.ts';
import { adminFailure } from '../../failures/admin.ts';
import { listAuditEntries } from '../../store/audit-list.ts';
import { rfc3339 } from '../../timestamp.ts';
import { pageHeaders, readPage } from './pagination.ts';

/** Scopes of a query and the members of the payload that they look at. */
const scopes: Readonly<Record<string, readonly string[]>> = {
  author: ['actor_username', 'actor_name'],
  action: ['action'],
  type: ['log_type'],
};

/**
 * GET /admin/audit: the audit log, newest first.
 * Upstream: internal/api/audit.go.
 */
export async function getAudit(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const page = readPage(call);
  const query = call.query.get('query') ?? '';
  const [scope = '', ...rest] = query.split(':');
  const members = Object.hasOwn(scopes, scope) ? scopes[scope] : undefined;
  if (query !== '' && (members === undefined || rest.length === 0)) throw adminFailure.auditScope(query);
  const { entries, total } = await listAuditEntries(
    context.db,
    members ?? [],
    rest.join(':'),
    page.perPage,
    Math.max(page.page - 1, 0) * page.perPage,
  );
  const body = entries.map(({ id, payload, created_at, ip_address }) => ({
    id,
    payload,
    created_at: created_at === null ? null : rfc3339(created_at),
    ip_address,
  }));
  return jsonReply(200, body, pageHeaders(call, page, total));
}
