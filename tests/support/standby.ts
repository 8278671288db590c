import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type EmbeddedPostgres, startEmbedded } from '../../src/embedded/start.ts';
import { connect } from '../../src/pg/connect.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { applyBootstrap } from '../../src/platform/bootstrap/apply.ts';
import { testPasswords } from './cluster.ts';
import { freePorts } from './ports.ts';
import { until } from './until.ts';

/** Two servers, of which one follows the other's log. */
export type ReplicatedPair = {
  readonly primary: EmbeddedPostgres;
  readonly standby: EmbeddedPostgres;
  /** Ends the primary as a crash does, for good, once the standby has all of its log. */
  readonly killPrimary: () => Promise<void>;
  /** Makes the standby a primary of its own; resolves when it takes writes. */
  readonly promote: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

const settings = { max_connections: '60', max_wal_senders: '10', max_replication_slots: '10' };

/** Starts a bootstrapped primary and a standby that streams from it. */
export async function startReplicatedPair(): Promise<ReplicatedPair> {
  const folder = await mkdtemp(join(tmpdir(), 'ownbase-pair-'));
  // The server's account is another one where the tests run as root.
  await chmod(folder, 0o755);
  const [port, standbyPort] = await freePorts(2);
  const common = { durable: false, logFile: join(folder, 'postgres.log') };
  const own = { ...common, dataDir: join(folder, 'primary'), port, settings };
  const first = await startEmbedded(own);
  await applyBootstrap(first.ownerUrl, { passwords: testPasswords });
  await first.stop();
  // A copy of a stopped server's files is the beginning of a standby; these binaries have no pg_basebackup.
  await promisify(execFile)('cp', ['-a', first.dataDir, join(folder, 'standby')]);
  await writeFile(join(folder, 'standby', 'standby.signal'), '');
  const primary = await startEmbedded(own);
  const { username, password } = new URL(primary.ownerUrl);
  const standby = await startEmbedded({
    ...common,
    dataDir: join(folder, 'standby'),
    port: standbyPort,
    settings: {
      ...settings,
      primary_conninfo: `host=127.0.0.1 port=${primary.port} user=${username} password=${decodeURIComponent(password)}`,
    },
  });
  const pair: ReplicatedPair = {
    primary,
    standby,
    async killPrimary() {
      const db = await connect(primary.ownerUrl);
      await until(async () => {
        const [row] = await db.query<{ behind: boolean }>(sql`
          select coalesce(bool_or(replay_lsn < pg_current_wal_lsn()), true) as behind
          from pg_stat_replication where application_name <> 'ownbase-realtime-feed'`);
        return row?.behind === false;
      });
      await db.end();
      process.kill(primary.pid() ?? 0, 'SIGKILL');
      await primary.stop();
    },
    async promote() {
      const db = await connect(standby.ownerUrl);
      await db.query(sql`select pg_promote()`);
      await db.end();
    },
    async stop() {
      await Promise.all([primary.stop(), standby.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
  return pair;
}
