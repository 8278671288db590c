import type { ClientBase } from 'pg';
import type { SessionKind } from './connection-string.ts';

/** A server that is reached but is not of the kind that was asked for. */
class WrongSessionKind extends Error {
  override readonly name = 'WrongSessionKind';
}

type Session = { readonly server: 'primary' | 'standby'; readonly access: 'read-only' | 'read-write' };

const fits: Readonly<Record<SessionKind, (session: Session) => boolean>> = {
  any: () => true,
  'read-write': ({ access }) => access === 'read-write',
  'read-only': ({ access }) => access === 'read-only',
  primary: ({ server }) => server === 'primary',
  standby: ({ server }) => server === 'standby',
  // Whether any server is a standby is not known before all have been asked: the order of the list decides.
  'prefer-standby': () => true,
};

const sessionStatement = `
  select case when pg_is_in_recovery() then 'standby' else 'primary' end as server,
         case when pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on'
              then 'read-only' else 'read-write' end as access`;

/** Rejects when the server behind a new connection is not of the kind. */
export async function checkSession(client: ClientBase, kind: SessionKind): Promise<void> {
  if (kind === 'any') return;
  const { rows } = await client.query<Session>(sessionStatement);
  const [session] = rows;
  if (session === undefined || !fits[kind](session)) throw new WrongSessionKind(`the server is not ${kind}`);
}
