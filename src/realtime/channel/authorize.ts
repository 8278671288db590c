import type { Random } from '../../core/clock.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { PgFailure } from '../../pg/failure.ts';
import type { RequestDb, Settings, Transaction } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { Refusal } from '../errors.ts';
import type { Session } from '../session.ts';

/** Who asks about which topic. */
type Asker = {
  readonly session: Session;
  readonly subTopic: string;
  /** Headers that policies may read, as JSON text. */
  readonly headers: string;
};

/** Kinds of messages that a policy can tell apart. */
export type Extension = 'broadcast' | 'presence';

/** Asks the policies of `realtime.messages` what a client may do with a private topic. */
export interface Authorizer {
  /** Which of these extensions the client may read. */
  read(asker: Asker, extensions: readonly Extension[]): Promise<Result<ReadonlySet<Extension>, Refusal>>;
  /** Whether the client may write the extension. */
  write(asker: Asker, extension: Extension): Promise<Result<boolean, Refusal>>;
}

/** Carries a verdict out of a transaction that must leave nothing behind. */
class RollBackWith<T> extends Error {
  override readonly name = 'RollBackWith';
  readonly verdict: T;

  constructor(verdict: T) {
    super('rolled back on purpose');
    this.verdict = verdict;
  }
}

const insufficientPrivilege = '42501';
const checkViolation = '23514';
const queryCanceled = '57014';

/** Settings that policies see, beside the role. */
const settingsOf = ({ session, subTopic, headers }: Asker): Settings => [
  ['realtime.topic', subTopic],
  ['request.jwt.claims', session.claimsText],
  ['request.jwt.claim.sub', session.sub ?? ''],
  ['request.jwt.claim.role', session.role],
  ['request.headers', headers],
];

function refusalOf(thrown: unknown, subTopic: string): Refusal {
  if (!(thrown instanceof PgFailure)) throw thrown;
  if (thrown.kind === 'pool-timeout') return 'pool-exhausted';
  if (thrown.kind === 'connection') return 'database-unavailable';
  if (thrown.sqlstate === queryCanceled) return 'query-canceled';
  if (thrown.sqlstate === checkViolation && thrown.table === 'messages') return 'missing-partition';
  // A policy that raises, or a role that does not exist, grants nothing.
  return { kind: 'unauthorized-read', subTopic };
}

async function verdictOf<T>(work: Promise<never>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    if (thrown instanceof RollBackWith) return thrown.verdict as T;
    throw thrown;
  }
}

async function becomeClient(tx: Transaction, asker: Asker): Promise<void> {
  const settings = [...settingsOf(asker), ['role', asker.session.role] as const];
  const calls = settings.map(([name, value]) => sql`set_config(${name}, ${value}, true)`);
  await tx.query(sql`select ${sql.join(calls)}`);
}

/**
 * Puts a probe row per extension into the table as service_role, looks at them as the client, and rolls back: what the
 * client sees is what it may read. Writing is tried as the client, and rolled back too.
 *
 * Upstream: supabase/realtime lib/realtime/tenants/authorization.ex.
 */
export function createAuthorizer(db: RequestDb, random: Random): Authorizer {
  return {
    async read(asker, extensions) {
      const probes = extensions.map((extension) => ({ extension, id: random.uuid() }));
      const ids = probes.map(({ id }) => id);
      const work = db.transaction({ role: 'service_role', settings: [] }, async (tx) => {
        await tx.execute(
          sql`insert into realtime.messages (id, topic, extension)
              select * from unnest(${ids}::uuid[], ${ids.map(() => asker.subTopic)}::text[], ${[...extensions]}::text[])`,
        );
        await becomeClient(tx, asker);
        const visible = await tx.query<{ id: string }>(
          sql`select id from realtime.messages where id = any(${ids}::uuid[])`,
        );
        const seen = new Set(visible.map(({ id }) => id));
        throw new RollBackWith(
          new Set(probes.filter(({ id }) => seen.has(id)).map(({ extension }) => extension)),
        );
      });
      try {
        return ok(await verdictOf<ReadonlySet<Extension>>(work));
      } catch (thrown) {
        return err(refusalOf(thrown, asker.subTopic));
      }
    },
    async write(asker, extension) {
      const scope = { role: asker.session.role, settings: settingsOf(asker) };
      const work = db.transaction(scope, async (tx) => {
        await tx.execute(
          sql`insert into realtime.messages (topic, extension) values (${asker.subTopic}, ${extension})`,
        );
        throw new RollBackWith(true);
      });
      try {
        return ok(await verdictOf<boolean>(work));
      } catch (thrown) {
        if (thrown instanceof PgFailure && thrown.sqlstate === insufficientPrivilege) return ok(false);
        return err(refusalOf(thrown, asker.subTopic));
      }
    },
  };
}
