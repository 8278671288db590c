import { refusalText } from '../errors.ts';
import { openSession } from '../session.ts';
import type { JoinDeps, JoinRequest } from './join.ts';
import { readRights } from './join.ts';
import type { ChannelEffect, ChannelInput } from './machine.ts';

/**
 * Checks the token of a channel again, or a new one, which is asked for its rights too. Yields what the channel has to deal
 * with: the session, or its end.
 */
export async function verifyToken(
  { token, isRefresh }: Pick<Extract<ChannelEffect, { kind: 'verify-token' }>, 'token' | 'isRefresh'>,
  channel: Pick<JoinRequest, 'subTopic' | 'headers' | 'config'>,
  /** Whether presence is used by the time that rights are asked for. */
  usesPresence: () => boolean,
  { sessions, authorizer }: Pick<JoinDeps, 'sessions' | 'authorizer'>,
): Promise<ChannelInput> {
  const session = await openSession(token, sessions);
  if (!session.ok) return { kind: 'shutdown', message: refusalText(session.error) };
  if (!isRefresh) return { kind: 'token-checked', session: session.value };
  const rights = await readRights(session.value, channel, usesPresence(), authorizer);
  if (!rights.ok) return { kind: 'shutdown', message: refusalText(rights.error) };
  return { kind: 'reauthorized', session: session.value, rights: rights.value };
}
