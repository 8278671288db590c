import { Counter, Gauge, Registry } from 'prom-client';
import type { Observer } from '../../core/observe.ts';
import type { PoolLoad } from '../../pg/pool.ts';

/** PostgREST's own metric names, for dashboards made for it. */
export type RestMetrics = {
  readonly observe: Observer;
  readonly countFailedLoad: () => void;
  readonly read: () => Promise<{ readonly contentType: string; readonly text: string }>;
};

/**
 * Creates the metrics; the pool is read at each scrape.
 * Upstream: PostgREST src/PostgREST/Metrics.hs.
 */
export function createRestMetrics(poolLoad: () => PoolLoad, poolSize: number): RestMetrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  };
  gauge('pgrst_db_pool_available', 'Available connections in the pool', () => poolLoad().idle);
  gauge('pgrst_db_pool_waiting', 'Requests waiting to acquire a pool connection', () => poolLoad().waiting);
  gauge('pgrst_db_pool_max', 'Max pool connections', () => poolSize);
  const timeouts = new Counter({
    name: 'pgrst_db_pool_timeouts_total',
    help: 'The total number of pool connection timeouts',
    registers,
  });
  const loads = new Counter({
    name: 'pgrst_schema_cache_loads_total',
    help: 'The total number of times the schema cache was loaded',
    labelNames: ['status'],
    registers,
  });
  const queryTime = new Gauge({
    name: 'pgrst_schema_cache_query_time_seconds',
    help: 'The query time in seconds of the last schema cache load',
    registers,
  });
  return {
    observe(observation) {
      if (observation.kind === 'schema-reloaded') {
        loads.inc({ status: 'SUCCESS' });
        queryTime.set(observation.ms / 1000);
      }
      // A request that found no free connection in time is the only one that is answered 504.
      if (observation.kind === 'request-done' && observation.status === 504) timeouts.inc();
    },
    countFailedLoad: () => loads.inc({ status: 'FAIL' }),
    read: async () => ({ contentType: 'text/plain; charset=utf-8', text: await registry.metrics() }),
  };
}
