import type { HttpRequest } from '../http/exchange.ts';
import type { RequestScope } from '../pg/session.ts';
import type { Principal } from './principal.ts';
import { factsOf, requestScope, servicePrincipal } from './scope.ts';
import type { PathParams } from './wire/path.ts';

/** A request that has been matched, read and authenticated. */
export type Call<Input = unknown> = {
  readonly request: HttpRequest;
  readonly params: PathParams;
  readonly input: Input;
  readonly principal: Principal;
  readonly operation: string;
};

/** The database scope of the request itself. */
export const scopeOf = ({ request, principal, operation }: Call): RequestScope =>
  requestScope(principal, factsOf(request, operation));

/** The scope of the final write: the service role's rights, the request's facts. */
export const serviceScopeOf = ({ request, operation }: Call): RequestScope =>
  requestScope(servicePrincipal, factsOf(request, operation));
