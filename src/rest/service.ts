import type { Catalog } from '../catalog/model.ts';
import type { Clock } from '../core/clock.ts';
import type { Observer } from '../core/observe.ts';
import type { Handler } from '../http/exchange.ts';
import type { KeySource } from '../identity/verify.ts';
import type { RequestDb } from '../pg/session.ts';
import type { RestConfig } from './config/model.ts';
import type { RestContext } from './context.ts';
import { handleRequest } from './handle.ts';
import { createAuthenticator } from './jwt/authenticate.ts';

/** What the REST service is made of. Configuration, catalog and keys are asked for, since they are reloaded. */
export type RestServiceDeps = {
  readonly db: RequestDb;
  readonly catalog: () => Catalog | null;
  readonly config: () => RestConfig;
  /** Keys of tokens; null refuses every token. */
  readonly keys: () => KeySource | null;
  readonly clock: Clock;
  /** Longest request body; upstream itself has no limit. */
  readonly maxBodyBytes: number;
  readonly observer: Observer;
};

/** Composes the REST service. A request is answered from one state, however often that is reloaded meanwhile. */
export function createRestService(deps: RestServiceDeps): Handler {
  let context = createContext(deps, null);
  return (request) => {
    if (context.config !== deps.config() || context.catalog !== deps.catalog())
      context = createContext(deps, context);
    return handleRequest(context, request);
  };
}

function createContext(deps: RestServiceDeps, previous: RestContext | null): RestContext {
  const config = deps.config();
  const { cacheMaxEntries } = config.jwt;
  // The tokens already verified stay known unless the size of that memory changes.
  const isReusable = previous !== null && previous.config.jwt.cacheMaxEntries === cacheMaxEntries;
  const authenticate = isReusable
    ? previous.authenticate
    : createAuthenticator({
        keys: deps.keys,
        rules: deps.config,
        clock: deps.clock,
        cacheSize: cacheMaxEntries,
      });
  const { db, observer, maxBodyBytes } = deps;
  return { config, catalog: deps.catalog(), db, authenticate, observer, maxBodyBytes };
}
