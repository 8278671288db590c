import type { HttpRequest } from '../http/exchange.ts';
import type { RequestScope } from '../pg/session.ts';
import { type Principal, serviceRole } from './principal.ts';

/** Longest time that one statement of a request may take. */
const statementTimeout = '30s';

/** What policies and triggers may ask about a request besides its claims. */
export type RequestFacts = {
  readonly method: string;
  readonly path: string;
  readonly headersText: string;
  /** Name that `storage.operation()` yields. */
  readonly operation: string;
  readonly requestId: string;
};

/** The facts of a request. */
export const factsOf = (request: HttpRequest, operation: string): RequestFacts => ({
  method: request.method,
  path: request.path,
  headersText: JSON.stringify(request.headers),
  operation,
  requestId: request.id,
});

/**
 * The transaction settings under which a statement runs as the request.
 * Upstream: src/internal/database/postgres/scope.ts.
 */
export function requestScope(principal: Principal, facts: RequestFacts): RequestScope {
  return {
    role: principal.role,
    settings: [
      ['request.jwt.claim.role', principal.role],
      ['request.jwt', principal.token],
      ['request.jwt.claim.sub', principal.owner ?? ''],
      ['request.jwt.claims', principal.claimsText],
      ['request.headers', facts.headersText],
      ['request.method', facts.method],
      ['request.path', facts.path],
      ['storage.operation', facts.operation],
      ['ownbase.request_id', facts.requestId],
      ['storage.allow_delete_query', 'true'],
      ['statement_timeout', statementTimeout],
      ['search_path', 'storage, public, extensions'],
    ],
  };
}

const serviceClaims = JSON.stringify({ role: serviceRole });

/** The service role's principal: what the final writes run as, after the request's own rights were tried. */
export const servicePrincipal: Principal = {
  role: serviceRole,
  claims: { role: serviceRole },
  claimsText: serviceClaims,
  token: '',
  owner: null,
  isAuthenticated: true,
};
