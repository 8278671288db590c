import type { Bus } from './bus.ts';
import { soloBus } from './memory.ts';
import type { BrokerOptions } from './redis.ts';

/** Packages that are installed with this one where they can be. */
const packages = { redis: '@redis/client', nats: '@nats-io/transport-node' } as const;

/** The broker that a URL names; null for none that is known. */
function brokerOf(url: string): keyof typeof packages | null {
  const [, scheme = ''] = /^([a-z]+):\/\//.exec(url) ?? [];
  if (scheme === 'redis' || scheme === 'rediss') return 'redis';
  return scheme === 'nats' || scheme === 'tls' ? 'nats' : null;
}

/**
 * Opens the bus that the configuration names; without a URL the instance is alone. The broker need not be there yet.
 * Rejects with `RangeError` for a URL of another kind, or when the client of the broker is not installed.
 */
export async function openBus({ url, ...options }: BrokerOptions | { readonly url: null }): Promise<Bus> {
  if (url === null || !('prefix' in options)) return soloBus;
  const broker = brokerOf(url);
  if (broker === null) {
    throw new RangeError('OWNBASE_CLUSTER_URL must begin with redis://, rediss://, nats:// or tls://');
  }
  try {
    if (broker === 'redis') return (await import('./redis.ts')).createRedisBus({ url, ...options });
    return (await import('./nats.ts')).createNatsBus({ url, ...options });
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw failure;
    throw new RangeError(`OWNBASE_CLUSTER_URL needs a package: npm install ${packages[broker]}`);
  }
}
