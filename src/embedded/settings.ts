import { SUPERVISOR_SETTING } from './cluster-files.ts';

/** What decides a server's settings. */
export type SettingsInput = {
  readonly port: number;
  readonly listenAddress: string;
  readonly socketDir: string;
  readonly supervisorPid: number;
  readonly durable: boolean;
  readonly preload: readonly string[];
  /** Further settings of the owner (`[db.settings]`); those that the supervisor needs stay as they are. */
  readonly settings: Readonly<Record<string, string>>;
};

/**
 * What the services and upstream's applications rely on, as upstream's own server has it: how floats are printed,
 * which language text search takes, how plans are costed, how much WAL a slot may hold back. The owner's settings go
 * before these.
 *
 * Upstream: supabase/postgres ansible/files/postgresql_config/postgresql.conf.j2.
 */
const DEFAULTS: Readonly<Record<string, string>> = {
  wal_level: 'logical',
  max_slot_wal_keep_size: '4096MB',
  effective_cache_size: '128MB',
  compute_query_id: 'on',
  extra_float_digits: '0',
  default_text_search_config: 'pg_catalog.english',
  max_wal_senders: '10',
  max_replication_slots: '10',
  timezone: 'UTC',
  log_timezone: 'UTC',
  password_encryption: 'scram-sha-256',
  cluster_name: 'ownbase',
  log_checkpoints: 'off',
};

/**
 * Switches off all that keeps data through a crash of the machine: for clusters that live as long as a test run. Commits
 * stay synchronous: without fsync that costs nothing, and WAL that is written late is streamed late.
 */
const THROW_AWAY: Readonly<Record<string, string>> = {
  fsync: 'off',
  full_page_writes: 'off',
};

/** The arguments of `postgres` after the data directory. */
export function serverArguments(input: SettingsInput): string[] {
  const settings = {
    ...DEFAULTS,
    ...(input.durable ? {} : THROW_AWAY),
    ...(input.preload.length > 0 && { shared_preload_libraries: input.preload.join(',') }),
    ...input.settings,
    port: String(input.port),
    listen_addresses: input.listenAddress,
    unix_socket_directories: input.socketDir,
    // The supervisor reads the log file and has to see why a start fails.
    logging_collector: 'off',
    log_destination: 'stderr',
    [SUPERVISOR_SETTING]: String(input.supervisorPid),
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
