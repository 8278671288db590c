import pg from 'pg';
import { oneSync } from './one-sync.ts';
import { envelope, type Workload } from './workloads.ts';

/** The same SQL in the same envelope with no HTTP at all: trips per second over a pool's connections. */
export async function floor(
  workload: Workload,
  options: {
    readonly databaseUrl: string;
    readonly claims: string;
    readonly pool: number;
    readonly seconds: number;
  },
): Promise<number> {
  const clients = await Promise.all(
    Array.from({ length: options.pool }, async () => {
      const client = new pg.Client({ connectionString: options.databaseUrl });
      await client.connect();
      return client;
    }),
  );
  const until = performance.now() + options.seconds * 1000;
  let trips = 0;
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() < until) {
        const path = workload.path();
        const query = new URLSearchParams(path.slice(path.indexOf('?') + 1));
        await oneSync(client, [
          envelope(options.claims, workload.method, path),
          workload.fixed({ query, body: workload.body?.() ?? '' }),
        ]);
        trips++;
      }
    }),
  );
  await Promise.all(clients.map((client) => client.end()));
  return trips / options.seconds;
}
