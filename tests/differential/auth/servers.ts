import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Inbox, startInbox } from '../../../src/inbox/inbox.ts';
import { type AdminClient, connect } from '../../../src/pg/connect.ts';
import { sql } from '../../../src/pg/sql/sql.ts';
import { freePorts } from '../../support/ports.ts';
import type { Profile } from './profiles.ts';
import { type Stage, startStage } from './stage.ts';

/** A server under test with everything around it. */
export type Side = {
  readonly url: string;
  readonly inboxUrl: string;
  readonly stage: Stage;
  /** The server's database, to read what it wrote. */
  readonly database: AdminClient;
  close(): Promise<void>;
};

type Surroundings = { readonly inbox: Inbox; readonly stage: Stage; readonly env: Record<string, string> };

async function surround(profile: Profile): Promise<Surroundings> {
  const inbox = await startInbox({ host: '127.0.0.1', port: 0, smtpPort: 0 });
  const stage = await startStage();
  const settings = Object.entries(profile.env).map(([name, value]) => [
    name,
    value.replaceAll('{stage}', stage.url),
  ]);
  const smtp = { GOTRUE_SMTP_HOST: '127.0.0.1', GOTRUE_SMTP_PORT: String(inbox.smtpPort) };
  return { inbox, stage, env: { ...Object.fromEntries(settings), ...smtp } };
}

/** Where scratch databases are made, and what upstream's server is started as. */
export type ServerOptions = {
  /** URL of a superuser's login to a scratch Postgres. */
  readonly postgres: string;
  /** The server that is compared with. */
  readonly upstream: string;
  /** Shows the output of the servers. */
  readonly isVerbose: boolean;
};

/** Starts upstream's server on a fresh database. */
export async function startUpstream(options: ServerOptions, profile: Profile): Promise<Side> {
  const database = await freshDatabase(options.postgres, 'differential_upstream');
  await database.exec(`
    do $$ begin create role differential_upstream noinherit createrole login password 'differential';
    exception when duplicate_object then null; end $$;
    alter role differential_upstream set search_path = 'auth';
    do $$ begin create role postgres superuser; exception when duplicate_object then null; end $$;
    create schema auth authorization differential_upstream;
    grant create on database differential_upstream to differential_upstream;`);
  const surroundings = await surround(profile);
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const login = databaseUrl(options.postgres, 'differential_upstream');
  // A login of its own: this project's server sets the passwords of the usual ones.
  login.username = 'differential_upstream';
  login.password = 'differential';
  const env = {
    ...surroundings.env,
    GOTRUE_DB_DRIVER: 'postgres',
    DB_NAMESPACE: 'auth',
    DATABASE_URL: login.href,
    GOTRUE_API_HOST: '127.0.0.1',
    PORT: String(port),
    API_EXTERNAL_URL: url,
    GOTRUE_JWT_ISSUER: url,
    GOTRUE_LOG_LEVEL: 'warn',
  };
  const child = launch(options, options.upstream, [], env);
  return ready({ child, url, surroundings, database, folder: null });
}

/** Starts this project's server on a fresh database. */
export async function startOwn(options: ServerOptions, profile: Profile): Promise<Side> {
  const database = await freshDatabase(options.postgres, 'differential_own');
  const surroundings = await surround(profile);
  const [port = 0, adminPort = 0] = await freePorts(2);
  const folder = await mkdtemp(join(tmpdir(), 'differential-'));
  const args = [
    ...['dist/cli/main.js', 'start', '--project', folder],
    ...['--db-url', databaseUrl(options.postgres, 'differential_own').href],
    ...['--port', String(port), '--admin-port', String(adminPort), '--no-inbox', '--log-level', 'error'],
  ];
  const child = launch(options, process.execPath, args, surroundings.env);
  return ready({ child, url: `http://127.0.0.1:${port}/auth/v1`, surroundings, database, folder });
}

function databaseUrl(postgres: string, name: string): URL {
  const url = new URL(postgres);
  url.pathname = `/${name}`;
  return url;
}

async function freshDatabase(postgres: string, name: string): Promise<AdminClient> {
  const admin = await connect(postgres);
  await admin.query(sql`drop database if exists ${sql.ident(name)} with (force)`);
  await admin.query(sql`create database ${sql.ident(name)}`);
  await admin.end();
  return connect(databaseUrl(postgres, name).href);
}

function launch(
  options: ServerOptions,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcess {
  const output = options.isVerbose ? 'inherit' : 'ignore';
  return spawn(program, args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', output, output],
  });
}

const startPatienceMs = 60_000;

async function ready(started: {
  readonly child: ChildProcess;
  readonly url: string;
  readonly surroundings: Surroundings;
  readonly database: AdminClient;
  readonly folder: string | null;
}): Promise<Side> {
  const { child, url, surroundings, database, folder } = started;
  const { inbox, stage } = surroundings;
  const side: Side = {
    url,
    inboxUrl: `http://127.0.0.1:${inbox.port}`,
    stage,
    database,
    async close() {
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      await Promise.all([stage.close(), inbox.close(), database.end()]);
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    },
  };
  const deadline = Date.now() + startPatienceMs;
  while (!(await isUp(url))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await side.close();
      throw new Error(`${child.spawnfile} did not start; --verbose shows what it says`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return side;
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    // Nobody listens yet.
    return false;
  }
}
