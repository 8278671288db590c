import type { HttpRequest } from '../../http/exchange.ts';
import type { RequestScope } from '../../pg/session.ts';
import type { StorageDeps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import { factsOf, requestScope, servicePrincipal } from '../scope.ts';

/** A request of the protocol, authenticated or signed. */
export type TusCall = {
  readonly deps: StorageDeps;
  readonly request: HttpRequest;
  readonly principal: Principal;
  readonly operation: string;
  readonly isSigned: boolean;
};

/** The media type of a piece of an upload. */
export const pieceType = 'application/offset+octet-stream';

/** The scope of the write that makes the object visible. */
export const serviceScope = ({ request, operation }: TusCall): RequestScope =>
  requestScope(servicePrincipal, factsOf(request, operation));
