import { type Random, systemRandom } from '../../core/clock.ts';
import { type AdminClient, connect } from '../../pg/connect.ts';
import { PgFailure } from '../../pg/failure.ts';
import { sql } from '../../pg/sql/sql.ts';
import { isCatalogRace, retryCatalogRaces, withClusterLock } from './cluster-lock.ts';
import { type BootstrapOptions, fingerprint, toSettings } from './options.ts';
import { type BootstrapScripts, readBootstrapScripts } from './scripts.ts';
import { type BootstrapStep, bootstrapVersion } from './steps.ts';

/** A feature that the server refused, in its own words why. */
export type DegradedFeature = { readonly feature: string; readonly reason: string };

/** Outcome of a bootstrap. */
export type BootstrapReport = {
  /** False when the database had all of it already. */
  readonly applied: boolean;
  /** Whether no schema of ours and no table of anybody was in the database. */
  readonly wasEmpty: boolean;
  readonly version: number;
  readonly degraded: readonly DegradedFeature[];
};

/** A step that failed for somebody to whom nothing is refused; the database is as it was before. */
export class BootstrapFailure extends Error {
  override readonly name = 'BootstrapFailure';
  readonly step: string;
  readonly sqlstate: string;

  constructor(step: string, cause: PgFailure) {
    super(`bootstrap step ${step}: ${cause.message}`, { cause });
    this.step = step;
    this.sqlstate = cause.sqlstate;
  }
}

/**
 * Brings a database to the state the services and a project's migrations expect: roles, schemas, grants, tables.
 * Runs at every start, on a connection of its own; two round trips when nothing is to do. A superuser gets all or
 * an error (`BootstrapFailure`, with nothing changed); anybody else gets what the server allows and the list of
 * what it refused. Rejects with `PgFailure` when the connection fails.
 */
export async function applyBootstrap(
  ownerUrl: string,
  options: BootstrapOptions = {},
  random: Random = systemRandom,
): Promise<BootstrapReport> {
  const [client, scripts] = await Promise.all([
    connect(ownerUrl, { applicationName: 'ownbase bootstrap' }),
    readBootstrapScripts(),
  ]);
  try {
    const known = await readState(client);
    const print = fingerprint(options, scripts.hash, known.cluster);
    if (known.fingerprint === print) {
      await client.query(sql`select ownbase.ensure_message_partitions()`);
      return { applied: false, wasEmpty: false, version: bootstrapVersion, degraded: known.degraded };
    }
    const settings = toSettings(options, random);
    const degraded = await withClusterLock(ownerUrl, () =>
      retryCatalogRaces(() => applySteps(client, scripts, settings, print)),
    );
    return { applied: true, wasEmpty: known.isEmpty, version: bootstrapVersion, degraded };
  } finally {
    await client.end();
  }
}

type State = {
  readonly cluster: string;
  readonly isEmpty: boolean;
  readonly fingerprint: string | null;
  readonly degraded: readonly DegradedFeature[];
};

const schemaOrTableMissing = new Set(['42P01', '3F000']);

async function readState(client: AdminClient): Promise<State> {
  try {
    const [row] = await client.query<{
      cluster: string;
      fingerprint: string | null;
      degraded: string | null;
    }>(
      sql`select c.system_identifier::text as cluster, b.fingerprint, b.degraded::text as degraded
          from pg_control_system() c left join ownbase.bootstrap b on true`,
    );
    const degraded: readonly DegradedFeature[] = JSON.parse(row?.degraded ?? '[]');
    return { cluster: row?.cluster ?? '', isEmpty: false, fingerprint: row?.fingerprint ?? null, degraded };
  } catch (thrown) {
    if (!(thrown instanceof PgFailure && schemaOrTableMissing.has(thrown.sqlstate))) throw thrown;
    const [row] = await client.query<{ cluster: string; empty: boolean }>(
      sql`select system_identifier::text as cluster, to_regnamespace('ownbase') is null and not exists (
            select from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p', 'v', 'm') and n.nspname !~ '^(pg_|information_schema$)') as empty
          from pg_control_system()`,
    );
    const isEmpty = row?.empty === true;
    return { cluster: row?.cluster ?? '', isEmpty, fingerprint: null, degraded: [] };
  }
}

async function applySteps(
  client: AdminClient,
  scripts: BootstrapScripts,
  settings: ReadonlyMap<string, string>,
  print: string,
): Promise<readonly DegradedFeature[]> {
  await client.exec('begin');
  try {
    await client.exec(scripts.prelude);
    await client.query(
      sql`select set_config(name, value, true)
          from unnest(${[...settings.keys()]}::text[], ${[...settings.values()]}::text[]) as given (name, value)`,
    );
    const server = await readServer(client);
    const due = scripts.steps.filter((step) => isDue(step, server));
    for (const step of due) await runStep(client, step, server.superuser);
    const degraded = await client.query<DegradedFeature>(
      sql`select feature, reason from pg_temp.degraded_feature order by feature`,
    );
    await remember(client, due, degraded, print);
    await client.exec('drop table pg_temp.degraded_feature; commit');
    return degraded;
  } catch (thrown) {
    await client.exec('rollback');
    throw thrown;
  }
}

type Server = {
  readonly superuser: boolean;
  readonly extensions: ReadonlySet<string>;
  readonly done: ReadonlySet<string>;
};

async function readServer(client: AdminClient): Promise<Server> {
  const [row] = await client.query<{ superuser: boolean; books: boolean; extensions: string[] }>(
    sql`select r.rolsuper as superuser, to_regclass('ownbase.bootstrap_step') is not null as books,
          array(select name::text from pg_available_extensions) as extensions
        from pg_roles r where r.rolname = session_user`,
  );
  const done = row?.books
    ? await client.query<{ step: string }>(sql`select step from ownbase.bootstrap_step`)
    : [];
  return {
    superuser: row?.superuser === true,
    extensions: new Set(row?.extensions),
    done: new Set(done.map(({ step }) => step)),
  };
}

function isDue(step: BootstrapStep, server: Server): boolean {
  if (step.once && server.done.has(step.name)) return false;
  return step.standsInFor === undefined || !server.extensions.has(step.standsInFor);
}

async function runStep(
  client: AdminClient,
  step: BootstrapScripts['steps'][number],
  superuser: boolean,
): Promise<void> {
  try {
    await client.exec(`savepoint step;\n${step.script}\nrelease savepoint step`);
  } catch (thrown) {
    if (!(thrown instanceof PgFailure) || thrown.kind !== 'server' || isCatalogRace(thrown)) throw thrown;
    if (superuser) throw new BootstrapFailure(step.name, thrown);
    await client.exec('rollback to savepoint step');
    await client.query(
      sql`insert into pg_temp.degraded_feature values (${step.feature}, ${thrown.message}) on conflict do nothing`,
    );
  }
}

/** Notes what was done, so that the next start is quick; without our schema every start does it all. */
async function remember(
  client: AdminClient,
  done: readonly BootstrapStep[],
  degraded: readonly DegradedFeature[],
  print: string,
): Promise<void> {
  if (degraded.some(({ feature }) => feature === 'private schema')) return;
  const once = done.filter((step) => step.once).map((step) => step.name);
  await client.query(
    sql`insert into ownbase.bootstrap_step (step) select unnest(${once}::text[]) on conflict do nothing`,
  );
  await client.query(
    sql`insert into ownbase.bootstrap (fingerprint, version, degraded)
        values (${print}, ${bootstrapVersion}, ${JSON.stringify(degraded)}::jsonb)
        on conflict (singleton) do update set fingerprint = excluded.fingerprint, version = excluded.version,
          degraded = excluded.degraded, applied_at = now()`,
  );
}
