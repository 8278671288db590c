import { z } from 'zod';
import { boolean, duration, integer, list, optional, port, secret, string, table } from '../kind.ts';
import { option } from '../option.ts';

/** Postgres: embedded or external, its pools, migrations and seeds. */
export const databaseOptions = {
  url: option({
    kind: optional(secret),
    default: null,
    env: ['OWNBASE_DB_URL', 'SUPABASE_DB_URL'],
    flag: 'db-url',
    description:
      'Connection URL of an external Postgres 15+ (an owner login). Without it an embedded one is started.',
  }),
  appUrl: option({
    kind: optional(secret),
    default: null,
    env: ['OWNBASE_DB_APP_URL'],
    description:
      'URL with the password of authenticator, for an external Postgres where the bootstrap may not set it.',
  }),
  port: option({
    kind: port,
    default: 54_322,
    toml: 'db.port',
    env: ['OWNBASE_DB_PORT'],
    flag: 'db-port',
    description: 'Port of the embedded Postgres, for psql and ORMs.',
  }),
  pgBin: option({
    kind: optional(string),
    default: null,
    env: ['OWNBASE_PG_BIN'],
    flag: 'pg-bin',
    description:
      'Folder with the programs of an installed Postgres 15+ (initdb, postgres) to use instead of the embedded one.',
  }),
  poolSize: option({
    kind: integer(1, 1000),
    default: 10,
    env: ['PGRST_DB_POOL', 'OWNBASE_POOL_SIZE'],
    description: 'Connections that serve REST requests.',
  }),
  servicePoolSize: option({
    kind: integer(1, 1000),
    default: 6,
    env: ['OWNBASE_SERVICE_POOL_SIZE'],
    description: 'Connections of each of the auth and storage services.',
  }),
  acquireTimeoutMs: option({
    kind: duration,
    default: 10_000,
    env: ['PGRST_DB_POOL_ACQUISITION_TIMEOUT'],
    description: 'How long a request waits for a free connection.',
  }),
  settings: option({
    kind: table(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))),
    default: {},
    toml: 'db.settings',
    description: 'Server settings of the embedded Postgres.',
  }),
  migrate: option({
    kind: optional(boolean),
    default: null,
    flag: 'migrate',
    description:
      'Apply pending migrations at start: always for the embedded Postgres, by request for an external one.',
  }),
  migrationsEnabled: option({
    kind: boolean,
    default: true,
    toml: 'db.migrations.enabled',
    description: 'Whether supabase/migrations is applied at all.',
  }),
  seed: option({
    kind: optional(boolean),
    default: null,
    flag: 'seed',
    description: 'Run the seed files after the first migrations, and make the buckets of config.toml.',
  }),
  seedEnabled: option({
    kind: boolean,
    default: true,
    toml: 'db.seed.enabled',
    description: 'Whether the seed files are run at all.',
  }),
  seedPaths: option({
    kind: list,
    default: ['./seed.sql'],
    toml: 'db.seed.sql_paths',
    description: 'Globs of seed files, relative to supabase/.',
  }),
  vault: option({
    kind: table(z.record(z.string(), z.string())),
    default: {},
    toml: 'db.vault',
    description: 'Secrets written to the vault before the migrations run.',
  }),
  skipMissingExtensions: option({
    kind: boolean,
    default: false,
    flag: 'skip-missing-extensions',
    description: 'Go on when a migration needs an extension that this Postgres lacks.',
  }),
};
