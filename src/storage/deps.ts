import type { Values } from '../config/option.ts';
import type { storageOptions } from '../config/options/storage.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { Observer } from '../core/observe.ts';
import type { InstanceKeys } from '../identity/instance-keys.ts';
import type { TokenVerifier } from '../identity/verify.ts';
import type { RequestDb, ServiceDb } from '../pg/session.ts';
import type { ObjectStore } from './backends/object-store.ts';
import type { Renderer } from './images/renderer.ts';
import type { Locks } from './locks.ts';
import type { OpenSession } from './shared-locks.ts';

/** The storage section of the configuration. */
export type StorageConfig = Values<typeof storageOptions>;

/** What the storage service is given. */
export type StorageInput = {
  readonly config: StorageConfig;
  /** Login `authenticator`: checks and writes as the request's role or the service role. */
  readonly requestDb: RequestDb;
  /** Login `supabase_storage_admin`: the service's own reads and its outbox. */
  readonly serviceDb: ServiceDb;
  /** Opens a session of the same login for the locks of uploads. */
  readonly openLockSession: OpenSession;
  readonly keys: InstanceKeys;
  readonly verifier: TokenVerifier;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  /** Origin that clients use, without a trailing slash. */
  readonly publicUrl: string;
  readonly store: ObjectStore;
};

/** Everything that the parts of the service work with. */
export type StorageDeps = StorageInput & { readonly renderer: Renderer; readonly locks: Locks };
