import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { chooseAccount, type RunAs } from './account.ts';
import { type Binaries, locateBinaries } from './binaries.ts';
import { readClusterVersion } from './cluster-files.ts';
import { EmbeddedError } from './errors.ts';
import { createCluster, OWNER_ROLE, readOwnerPassword } from './initdb.ts';
import { placeDataDir, placeSocketDir } from './placement.ts';
import { demandFreePort, findFreePort } from './ports.ts';
import { type PostmasterSpec, startPostmaster } from './postmaster.ts';
import { settlePreviousPostmaster } from './previous-postmaster.ts';
import { serverArguments } from './settings.ts';
import { type Supervised, type SupervisorEvent, supervise } from './supervise.ts';

/** What is reported while Postgres is started and supervised. */
export type EmbeddedEvent =
  | { readonly kind: 'notice'; readonly message: string }
  | { readonly kind: 'initializing'; readonly dataDir: string }
  | SupervisorEvent;

/** Options of the embedded Postgres; only the data directory is needed. */
export type EmbeddedOptions = {
  /** Made on the first start. */
  readonly dataDir: string;
  /** 0 (the default) takes any free port. */
  readonly port?: number | undefined;
  readonly listenAddress?: string | undefined;
  /** Folder of an installed Postgres' programs; the npm package's by default. */
  readonly pgBin?: string | undefined;
  /** Account to run as when the process is root's; see `chooseAccount`. */
  readonly runAs?: string | undefined;
  readonly logFile?: string | undefined;
  /** False for clusters that need not survive a crash of the machine: no fsync. */
  readonly durable?: boolean | undefined;
  /** Password of the owner in a new cluster; a random one by default, kept beside the data. */
  readonly ownerPassword?: string | undefined;
  readonly settings?: Readonly<Record<string, string>> | undefined;
  readonly readyTimeoutMs?: number | undefined;
  readonly onEvent?: ((event: EmbeddedEvent) => void) | undefined;
};

/** A supervised Postgres: restarted when it dies, until `stop`. */
export type EmbeddedPostgres = Supervised & {
  readonly port: number;
  readonly dataDir: string;
  readonly socketDir: string;
  readonly logFile: string;
  readonly majorVersion: number;
  /** Whether this start made the cluster. */
  readonly created: boolean;
  /** Connection string of the owner, a superuser, to the database `postgres` over TCP. */
  readonly ownerUrl: string;
};

const READY_TIMEOUT_MS = 120_000;

/**
 * Starts Postgres on a data directory, which is made when absent, and supervises it.
 * @throws EmbeddedError when it cannot be started; nothing is left running then.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const report = options.onEvent ?? (() => {});
  const notice = (message: string): void => report({ kind: 'notice', message });
  const wanted = resolve(options.dataDir);
  const runAs = await chooseAccount(wanted, options.runAs ?? process.env.OWNBASE_PG_USER);
  const binaries = await locateBinaries(options.pgBin, runAs, notice);
  const dataDir = await placeDataDir(wanted, runAs, notice);
  const created = await prepareCluster(binaries, dataDir, runAs, options, report);
  const ownerPassword = await readOwnerPassword(dataDir);
  await settlePreviousPostmaster(dataDir, notice);
  const port = options.port || (await findFreePort());
  const listenAddress = options.listenAddress ?? '127.0.0.1';
  await demandFreePort(
    port,
    listenAddress,
    'choose another port for Postgres with --db-port (config.toml: [db] port)',
  );
  const socketDir = await placeSocketDir(dataDir, port, runAs);
  const logFile = options.logFile ?? join(wanted, '..', 'logs', 'postgres.log');
  const spec: PostmasterSpec = {
    binaries,
    dataDir,
    runAs,
    logFile,
    readyTimeoutMs: options.readyTimeoutMs ?? READY_TIMEOUT_MS,
    arguments: serverArguments({
      port,
      listenAddress,
      socketDir,
      supervisorPid: process.pid,
      durable: options.durable ?? true,
      preload: binaries.preload,
      settings: options.settings ?? {},
    }),
  };
  const supervised = supervise(spec, await startPostmaster(spec), port, report);
  const ownerUrl = `postgresql://${OWNER_ROLE}:${encodeURIComponent(ownerPassword)}@127.0.0.1:${port}/postgres`;
  const { majorVersion } = binaries;
  return { port, dataDir, socketDir, logFile, majorVersion, created, ownerUrl, ...supervised };
}

/** Makes the cluster unless it is there; true when it was made. */
async function prepareCluster(
  binaries: Binaries,
  dataDir: string,
  runAs: RunAs,
  options: EmbeddedOptions,
  report: (event: EmbeddedEvent) => void,
): Promise<boolean> {
  const version = await readClusterVersion(dataDir).catch((cause: unknown) => {
    throw new EmbeddedError(
      'account_unusable',
      `${dataDir} cannot be read by this user: it was made under another account. Start as that account, or name another data directory.`,
      { cause },
    );
  });
  if (version === binaries.majorVersion) return false;
  if (version !== undefined) {
    throw new EmbeddedError(
      'data_dir_version',
      `${dataDir} was made by Postgres ${version} and cannot be opened by Postgres ${binaries.majorVersion}. Start with the programs of Postgres ${version} (--pg-bin), dump the data and load it into a new directory.`,
    );
  }
  const entries = await readdir(dataDir).catch(() => []); // absent: will be made
  if (entries.length > 0) {
    throw new EmbeddedError(
      'data_dir_foreign',
      `${dataDir} holds files but no database: move them away or name another data directory.`,
    );
  }
  report({ kind: 'initializing', dataDir });
  const { ownerPassword, durable = true } = options;
  await createCluster(binaries, dataDir, runAs, { durable, ownerPassword });
  return true;
}
