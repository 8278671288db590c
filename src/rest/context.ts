import type { Catalog } from '../catalog/model.ts';
import type { Observer } from '../core/observe.ts';
import type { RequestDb } from '../pg/session.ts';
import type { RestConfig } from './config/model.ts';
import type { Authenticate } from './jwt/authenticate.ts';

/**
 * What a request is answered with: one consistent state. A reload makes a new context; requests that run keep theirs.
 */
export type RestContext = {
  readonly config: RestConfig;
  /** Null until the first load succeeds: then every request is answered 503. */
  readonly catalog: Catalog | null;
  readonly db: RequestDb;
  readonly authenticate: Authenticate;
  readonly observer: Observer;
  /** Longest request body. */
  readonly maxBodyBytes: number;
};
