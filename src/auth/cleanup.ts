import { type Sql, sql } from '../pg/sql/sql.ts';
import type { AuthConfig, AuthDeps } from './deps.ts';

/** Deletes rows that are over, a few at each call. */
export interface Cleanup {
  /** Begins the next step unless one is under way; never rejects. */
  step(): void;
  /** Resolves when no step is under way. */
  settled(): Promise<void>;
}

const day = sql`interval '24 hours'`;

const older = (table: Sql): Sql => sql`
  delete from ${table} where id in (
    select id from ${table} where created_at < now() - ${day} limit 100 for update skip locked)`;

/** Tables whose rows mean nothing after a day. */
const passing: readonly Sql[] = [
  sql`auth.saml_relay_states`,
  sql`auth.flow_state`,
  sql`auth.oauth_client_states`,
  sql`auth.mfa_challenges`,
];

/*
 * Locked rows are skipped, so that no request waits for any of these. Sessions go later than their tokens and few at a
 * time, so that cascades stay small.
 */
const always: readonly Sql[] = [
  sql`
  delete from auth.refresh_tokens where id in (
    select id from auth.refresh_tokens where revoked and updated_at < now() - ${day} limit 100 for update skip locked)`,
  sql`
  update auth.refresh_tokens set revoked = true, updated_at = now() where id in (
    select t.id from auth.refresh_tokens t join auth.sessions s on s.id = t.session_id
    where s.not_after < now() - ${day} and not t.revoked limit 100 for update skip locked)`,
  sql`
  delete from auth.sessions where id in (
    select id from auth.sessions where not_after < now() - interval '72 hours' limit 10 for update skip locked)`,
  ...passing.map(older),
  sql`
  delete from auth.mfa_factors where id in (
    select id from auth.mfa_factors where created_at < now() - ${day} and status = 'unverified'
    limit 100 for update skip locked)`,
  sql`
  delete from auth.webauthn_challenges where id in (
    select id from auth.webauthn_challenges where expires_at < now() limit 100 for update skip locked)`,
];

const anonymousUsers = sql`
  delete from auth.users where id in (
    select id from auth.users where created_at < now() - interval '30 days' and is_anonymous
    limit 100 for update skip locked)`;

const span = (ms: number): Sql => sql`make_interval(secs => ${ms / 1000})`;

/** Sessions that ended by their age, or by how long they were not refreshed, a day ago. */
function endedSessions(config: AuthConfig): readonly Sql[] {
  const { sessionTimeboxMs: timebox, sessionInactivityMs: inactivity } = config;
  const ended = (condition: Sql): Sql => sql`
    delete from auth.sessions where id in (
      select s.id from auth.sessions s where ${condition} limit 100 for update skip locked)`;
  return [
    ...(timebox === null ? [] : [ended(sql`s.created_at + ${span(timebox)} < now() - ${day}`)]),
    ...(inactivity === null
      ? []
      : [
          ended(sql`s.refreshed_at + ${span(inactivity)} < (now() at time zone 'utc') - ${day}`),
          ended(sql`s.refreshed_at is null and exists (
            select from auth.refresh_tokens t
            where t.session_id = s.id and not t.revoked and t.updated_at + ${span(inactivity)} < now() - ${day})`),
        ]),
  ];
}

/**
 * Creates the cleanup of a service; null where the configuration does not ask for one.
 * Upstream: internal/models/cleanup.go.
 */
export function createCleanup({
  config,
  db,
  observer,
}: Pick<AuthDeps, 'config' | 'db' | 'observer'>): Cleanup | null {
  if (!config.cleanupEnabled) return null;
  const statements = [
    ...always,
    ...(config.enableAnonymousSignIns ? [anonymousUsers] : []),
    ...endedSessions(config),
  ];
  let next = 0;
  let running: Promise<void> | null = null;
  const run = async (statement: Sql): Promise<void> => {
    try {
      await db.query(statement);
    } catch (error) {
      observer({ kind: 'fault', service: 'auth', message: 'old rows could not be deleted', error });
    }
    running = null;
  };
  return {
    step() {
      const statement = statements[next % statements.length];
      if (running !== null || statement === undefined) return;
      next++;
      running = run(statement);
    },
    settled: async () => running ?? undefined,
  };
}
