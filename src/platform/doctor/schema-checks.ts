import { sql } from '../../pg/sql/sql.ts';
import type { DegradedFeature } from '../bootstrap/apply.ts';
import { bootstrapVersion } from '../bootstrap/steps.ts';
import { type Check, fail, healthy, missingCheck, sqlCheck, startAgain, warn } from './check.ts';

/** The last migration of each upstream schema that ours equal. */
const ledgers = { auth: '20260625000000', storage: '63', realtime: '20260709120000' } as const;

/** Extensions that are stood in for where the server lacks them, and a function of each stand-in. */
const standIns = {
  pg_cron: 'cron.asking_role()',
  pg_net: 'net.queue_request(text, text, jsonb, jsonb, bytea, integer)',
  pgmq: 'pgmq.make_queue(text, boolean)',
  supabase_vault: 'vault.encrypt_secret()',
};

/** Checks of schemas, extensions and of what the change stream reads. */
export const schemaChecks: readonly Check[] = [
  sqlCheck<{ version: number; degraded: readonly DegradedFeature[] }>({
    id: 'bootstrap',
    title: 'What the services need in the database',
    facts: sql`select version, degraded from ownbase.bootstrap`,
    judge({ version, degraded }) {
      if (version < bootstrapVersion) return fail(`the database is at version ${version}`, startAgain);
      if (version > bootstrapVersion) {
        return fail(`the database is at version ${version}, of a newer ownbase`, 'Upgrade ownbase.');
      }
      if (degraded.length === 0) return healthy;
      return warn(
        `the server refused: ${degraded.map(({ feature, reason }) => `${feature} (${reason})`).join('; ')}`,
        'Start once with the connection string of a superuser, or live without these.',
      );
    },
  }),
  sqlCheck<{ auth: string; storage: string; realtime: string }>({
    id: 'schema-versions',
    title: 'Versions of the schemas auth, storage and realtime',
    facts: sql`select (select max(version) from auth.schema_migrations) as auth,
        (select max(id)::text from storage.migrations) as storage,
        (select max(version)::text from realtime.schema_migrations) as realtime`,
    judge(found) {
      const names = ['auth', 'storage', 'realtime'] as const;
      const other = names.filter((name) => found[name] !== ledgers[name]);
      if (other.length === 0) return healthy;
      const list = other.map((name) => `${name} is at ${found[name] ?? 'none'}, expected ${ledgers[name]}`);
      return fail(
        list.join('; '),
        'Bring the schemas to these versions with upstream’s own migrations first.',
      );
    },
  }),
  missingCheck({
    id: 'extensions',
    title: 'Extensions every project uses',
    facts: sql`select array(
        select name from unnest(array['uuid-ossp', 'pgcrypto']) as name
        where not exists (select from pg_extension where extname = name)) as missing`,
    judge: (missing) =>
      fail(
        `these extensions are missing: ${missing.join(', ')}`,
        'create extension "NAME" with schema extensions',
      ),
  }),
  sqlCheck<{ doubled: readonly string[] }>({
    id: 'stand-ins',
    title: 'Stand-ins for extensions that the server has',
    facts: sql`select array(
        select name from unnest(
          ${Object.keys(standIns)}::text[], ${Object.values(standIns)}::text[]) as known (name, function)
        where exists (select from pg_available_extensions a where a.name = known.name)
          and to_regprocedure(function) is not null) as doubled`,
    judge: ({ doubled }) =>
      doubled.length === 0
        ? healthy
        : warn(
            `the server has these now, while their stand-ins are in use: ${doubled.join(', ')}`,
            'Drop the schema of the stand-in (its rows go with it) and create the extension.',
          ),
  }),
  sqlCheck<{ owner: string | null; migrator: string }>({
    id: 'publication',
    title: 'Publication supabase_realtime',
    facts: sql`select (select pg_get_userbyid(pubowner)::text from pg_publication
                       where pubname = 'supabase_realtime') as owner,
        case when pg_has_role(session_user, 'postgres', 'member') then 'postgres'
          else session_user::text end as migrator`,
    judge({ owner, migrator }) {
      if (owner === null) return fail('it is missing: no table is streamed', startAgain);
      if (owner === migrator) return healthy;
      return warn(
        `it belongs to ${owner}: migrations, which run as ${migrator}, cannot add tables to it`,
        `alter publication supabase_realtime owner to ${migrator}`,
      );
    },
  }),
  missingCheck({
    id: 'event-triggers',
    title: 'The API hears of new tables at once',
    facts: sql`select array(
        select name from unnest(array['pgrst_ddl_watch', 'pgrst_drop_watch']) as name
        where not exists (select from pg_event_trigger where evtname = name and evtenabled <> 'D')) as missing`,
    judge: (missing) =>
      warn(
        `these event triggers are missing or disabled: ${missing.join(', ')}; the catalog is polled instead`,
        'Start once with the connection string of a superuser.',
      ),
  }),
  missingCheck({
    id: 'message-partitions',
    title: 'Partitions for messages of today and tomorrow',
    facts: sql`select array(
        select day::date::text
        from generate_series((now() at time zone 'utc')::date, (now() at time zone 'utc')::date + 1, '1 day') as day
        where to_regclass('realtime.messages_' || to_char(day, 'YYYY_MM_DD')) is null) as missing`,
    judge: (missing) =>
      fail(
        `messages of ${missing.join(', ')} cannot be stored`,
        'select ownbase.ensure_message_partitions()',
      ),
  }),
  sqlCheck<{ stuck: number }>({
    id: 'outbox',
    title: 'Work left over after commits',
    facts: sql`select count(*)::int as stuck from ownbase.outbox where attempts >= 10`,
    judge: ({ stuck }) =>
      stuck === 0
        ? healthy
        : warn(
            `${stuck} pieces of work failed ten times or more`,
            'Look at the log for their errors; they are tried again until they succeed.',
          ),
  }),
];
