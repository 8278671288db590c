import { err, ok, type Result } from '../../core/result.ts';
import type { RequestDb } from '../../pg/session.ts';
import type { Refusal } from '../errors.ts';
import type { RateCounter } from '../limits.ts';
import { openSession, type Session, type SessionDeps } from '../session.ts';
import type { Authorizer, Extension } from './authorize.ts';
import type { JoinConfig } from './join-config.ts';
import { readReplay, type StoredMessage } from './replay.ts';
import { mayJoin, publicRights, type Rights, unknownRights } from './rights.ts';

/** What a join is decided by. */
export type JoinDeps = {
  readonly sessions: SessionDeps;
  readonly authorizer: Authorizer;
  readonly db: RequestDb;
  readonly joins: RateCounter;
  readonly privateOnly: boolean;
  /** Whether the service is stopping. */
  readonly isDraining: () => boolean;
  /** Whether more sockets are open than allowed. */
  readonly hasTooManyUsers: () => boolean;
};

/** A join that asks to be let in. */
export type JoinRequest = {
  readonly subTopic: string;
  readonly config: JoinConfig;
  /** Token of the connection, for joins without their own. */
  readonly connectionToken: string;
  readonly headers: string;
  readonly hasTooManyChannels: boolean;
};

/** A join that was let in. */
export type Admission = {
  readonly session: Session;
  readonly rights: Rights;
  readonly replay: readonly StoredMessage[];
};

/** Checks a join in upstream's order; the first refusal counts. */
export async function admit(request: JoinRequest, deps: JoinDeps): Promise<Result<Admission, Refusal>> {
  const limit = checkLimits(request, deps);
  if (limit !== null) return err(limit);
  const session = await openSession(request.config.token ?? request.connectionToken, deps.sessions);
  if (!session.ok) return session;
  const rights = await readRights(session.value, request, request.config.presenceEnabled, deps.authorizer);
  if (!rights.ok) return rights;
  const replay = await replayFor(request, rights.value, deps.db);
  if (!replay.ok) return replay;
  return ok({ session: session.value, rights: rights.value, replay: replay.value });
}

function checkLimits(request: JoinRequest, deps: JoinDeps): Refusal | null {
  if (request.subTopic === '') return 'topic-required';
  if (deps.isDraining()) return 'restarting';
  if (deps.privateOnly && !request.config.isPrivate) return 'private-only';
  if (deps.hasTooManyUsers()) return 'too-many-users';
  // A join that is refused for the rate does not count to it.
  if (deps.joins.isExceeded()) return 'too-many-joins';
  deps.joins.add();
  return request.hasTooManyChannels ? 'too-many-channels' : null;
}

/** The rights to read of a private channel; presence is asked about only where it is used. */
export async function readRights(
  session: Session,
  channel: Pick<JoinRequest, 'subTopic' | 'headers' | 'config'>,
  withPresence: boolean,
  authorizer: Authorizer,
): Promise<Result<Rights, Refusal>> {
  if (!channel.config.isPrivate) return ok(publicRights);
  const { subTopic, headers } = channel;
  const extensions: Extension[] = withPresence ? ['broadcast', 'presence'] : ['broadcast'];
  const readable = await authorizer.read({ session, subTopic, headers }, extensions);
  if (!readable.ok) return readable;
  const rights: Rights = {
    broadcast: { ...unknownRights.broadcast, read: readable.value.has('broadcast') },
    presence: withPresence
      ? { ...unknownRights.presence, read: readable.value.has('presence') }
      : unknownRights.presence,
  };
  return mayJoin(rights) ? ok(rights) : err({ kind: 'unauthorized-read', subTopic });
}

async function replayFor(
  { config, subTopic }: JoinRequest,
  rights: Rights,
  db: RequestDb,
): Promise<Result<readonly StoredMessage[], Refusal>> {
  if (config.replay === undefined) return ok([]);
  if (rights.broadcast.read !== true) return err({ kind: 'unauthorized-read', subTopic });
  if (!config.isPrivate) return err('replay-public');
  // Anything but an object is ignored, as upstream does.
  if (typeof config.replay !== 'object' || config.replay === null) return ok([]);
  return readReplay(db, subTopic, config.replay);
}
