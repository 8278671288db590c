import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Observation, Observer } from '../core/observe.ts';
import { assertNever } from '../core/result.ts';

/** Load of one pool at the moment of a scrape. */
export type PoolReading = { readonly total: number; readonly idle: number; readonly waiting: number };

/** Metrics of an instance: an observer that counts, and the Prometheus text of what it counted. */
export type Metrics = {
  readonly observe: Observer;
  readonly text: () => Promise<string>;
  readonly contentType: string;
};

/** Creates the metrics; `pools` is read at each scrape. */
export function createMetrics(pools: Readonly<Record<string, () => PoolReading>>): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: 'ownbase_request_duration_seconds',
    help: 'Time from the first byte of a request to its answer, by route template.',
    labelNames: ['service', 'method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  const faults = new Counter({
    name: 'ownbase_faults_total',
    help: 'Things that should not happen: unhandled errors, by service.',
    labelNames: ['service'],
    registers,
  });
  const reloads = new Counter({
    name: 'ownbase_schema_cache_loads_total',
    help: 'Times that the schema cache was loaded.',
    registers,
  });
  const tables = new Gauge({
    name: 'ownbase_schema_cache_tables',
    help: 'Tables and views in the schema cache.',
    registers,
  });
  const lag = new Gauge({
    name: 'ownbase_feed_lag_bytes',
    help: 'Write-ahead log that the change feed has not yet confirmed.',
    registers,
  });
  const changes = new Counter({
    name: 'ownbase_feed_changes_total',
    help: 'Row changes decoded.',
    registers,
  });
  const sockets = new Gauge({ name: 'ownbase_sockets', help: 'Open realtime sockets.', registers });
  new Gauge({
    name: 'ownbase_pool_connections',
    help: 'Connections of a pool by state; waiting counts requests in its queue.',
    labelNames: ['pool', 'state'],
    registers,
    collect() {
      for (const [pool, read] of Object.entries(pools)) {
        const load = read();
        this.set({ pool, state: 'busy' }, load.total - load.idle);
        this.set({ pool, state: 'idle' }, load.idle);
        this.set({ pool, state: 'waiting' }, load.waiting);
      }
    },
  });
  const observe = (observation: Observation): void => {
    switch (observation.kind) {
      case 'request-done': {
        const { service, method, route, status, ms } = observation;
        requests.observe({ service, method, route, status }, ms / 1000);
        return;
      }
      case 'fault':
        faults.inc({ service: observation.service });
        return;
      case 'notice':
        return;
      case 'schema-reloaded':
        reloads.inc();
        tables.set(observation.tables);
        return;
      case 'feed-progress':
        lag.set(observation.lagBytes);
        changes.inc(observation.changes);
        return;
      case 'sockets':
        sockets.set(observation.open);
        return;
      default:
        assertNever(observation);
    }
  };
  return { observe, text: () => registry.metrics(), contentType: registry.contentType };
}
