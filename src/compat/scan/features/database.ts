import { differs, type Feature, supported, unsupported } from '../feature.ts';

/** What a project's SQL uses beyond plain Postgres. */
export const databaseFeatures: readonly Feature[] = [
  supported('sql.extension', 'An extension of every Postgres', []),
  differs(
    'sql.extension.stand-in',
    'An extension with a stand-in',
    'The migration runner takes the statement; what the extension does is stood in for or left out. See the differences of the database.',
  ),
  differs(
    'sql.extension.external',
    'An extension that the embedded Postgres lacks',
    "Use `--pg-bin` or `--db-url` with a Postgres that has it, or the compose file's for pgvector.",
  ),
  supported('sql.rls', 'Row level security', ['rest.rls']),
  supported('sql.policy', 'Policies on own tables', ['rest.rls']),
  supported('sql.policy.storage', 'Policies on storage', ['storage.rls']),
  supported('sql.policy.realtime', 'Policies on realtime.messages', ['realtime.private']),
  differs(
    'sql.policy.auth',
    "Policies on auth's tables",
    "The auth service reads past them, as upstream's does.",
  ),
  supported('sql.auth-functions', 'auth.uid() and its siblings', ['rest.rls.claims', 'rest.rls.insert-own']),
  supported('sql.auth-own', "The app's own functions in the schema auth", [], {
    note: 'Hosted Supabase refuses new ones since 2025; here they are made.',
  }),
  supported('sql.auth-tables', "References to auth's tables", ['auth.admin.create', 'auth.signup']),
  supported('sql.trigger.auth-users', 'Triggers on auth.users', ['auth.signup.session']),
  supported('sql.trigger.storage', "Triggers on storage's tables", ['storage.upload']),
  supported('sql.storage-tables', "storage's tables in SQL", ['storage.bucket', 'storage.list']),
  supported('sql.storage-functions', "storage's functions in SQL", ['storage.rls']),
  supported('sql.realtime-functions', 'Broadcasts from SQL', ['realtime.broadcast.sql']),
  supported('sql.publication', 'Tables in the publication of realtime', ['realtime.changes']),
  supported('sql.roles', 'Roles', [
    'rest.rls.anon-role',
    'rest.rls.authenticated-role',
    'rest.rls.service-role',
  ]),
  supported('sql.schema', 'Schemas', []),
  supported('sql.setting', 'Settings of roles and databases', []),
  differs('sql.cron', 'Scheduled jobs', 'Without pg_cron in the database jobs are stored and do not run.'),
  differs(
    'sql.net',
    'Requests from the database',
    'Without pg_net or http in the database requests are queued and not sent.',
  ),
  differs(
    'sql.webhook',
    'Database webhooks',
    'Without pg_net in the database requests are queued and not sent.',
  ),
  differs('sql.vault', 'Secrets in the vault', "They are encrypted with the instance's key."),
  differs('sql.pgmq', 'Queues', 'Without pgmq in the database queues are plain tables.'),
  unsupported('sql.graphql', 'GraphQL in SQL', 'There is no pg_graphql stand-in that answers queries.'),
  differs(
    'sql.event-trigger',
    'Event triggers',
    'They need a superuser, or `supabase_admin`, as on other Postgres servers.',
  ),
  differs(
    'sql.foreign-data',
    'Foreign data wrappers',
    'Those of the `wrappers` extension need a Postgres that has it.',
  ),
  unsupported(
    'sql.language',
    'A language that the embedded Postgres lacks',
    'Use `--pg-bin` or `--db-url` with a Postgres that has it.',
  ),
];
