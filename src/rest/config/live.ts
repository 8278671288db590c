import type { StepRunner } from '../../catalog/introspect.ts';
import type { Observer } from '../../core/observe.ts';
import { fixedKeys, type KeySource } from '../../identity/verify.ts';
import { PgFailure } from '../../pg/failure.ts';
import { keysOfSecret } from '../jwt/secret.ts';
import { readInDatabaseConfig } from './in-database.ts';
import { type ConfigSources, loadRestConfig } from './load.ts';
import type { RestConfig, RestServerConfig } from './model.ts';

/** The configuration in use, and the keys that its secret stands for. */
export interface LiveConfig {
  current(): RestConfig;
  /** Null without a secret. */
  keys(): KeySource | null;
  /** Reads every source again; an invalid configuration is reported and the one in use stays. */
  reload(runner: StepRunner): Promise<void>;
}

const keySource = async (secret: Buffer | null): Promise<KeySource | null> =>
  secret === null ? null : fixedKeys(await keysOfSecret(secret));

const isSameSecret = (a: Buffer | null, b: Buffer | null): boolean =>
  a === null || b === null ? a === b : a.equals(b);

/** Makes the configuration that the service started with reloadable. Rejects with `InvalidSecret`. */
export async function createLiveConfig(
  initial: RestServerConfig,
  sources: ConfigSources,
  observer: Observer,
): Promise<LiveConfig> {
  let current = initial;
  let keys = await keySource(initial.rest.jwt.secret);
  const complain = (problems: readonly string[]): void =>
    observer({
      kind: 'notice',
      service: 'rest',
      level: 'warn',
      message: `the configuration is invalid and was not taken: ${problems.join('; ')}`,
    });
  const accept = async (next: RestServerConfig): Promise<void> => {
    const { secret } = next.rest.jwt;
    if (!isSameSecret(secret, current.rest.jwt.secret)) keys = await keySource(secret);
    current = next;
  };
  return {
    current: () => current.rest,
    keys: () => keys,
    async reload(runner) {
      if (!initial.database.inDatabaseConfig) return await reloadFrom(undefined);
      try {
        return await reloadFrom(await readInDatabaseConfig(runner, current.database.preConfig));
      } catch (failure) {
        // A function of the user's that fails is reported, as upstream does; a database that is away is tried again.
        if (!(failure instanceof PgFailure) || failure.kind !== 'server') throw failure;
        complain([`the database could not be asked: ${failure.message}`]);
      }
    },
  };

  async function reloadFrom(inDatabase: Parameters<typeof loadRestConfig>[1]): Promise<void> {
    const loaded = await loadRestConfig(sources, inDatabase);
    if (!loaded.ok) return complain(loaded.error);
    try {
      await accept(loaded.value);
    } catch (thrown) {
      complain([thrown instanceof Error ? thrown.message : String(thrown)]);
    }
  }
}
