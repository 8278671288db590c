import type { Authorizer } from './authorize.ts';
import type { JoinedState, Question } from './machine.ts';
import type { Rights } from './rights.ts';

/** Asks for the rights that a question is about; null when the database gives no answer. */
export async function askRights(
  question: Question,
  state: JoinedState,
  authorizer: Authorizer,
  channel: { readonly subTopic: string; readonly headers: string },
): Promise<Rights | null> {
  const asker = { session: state.session, ...channel };
  const { broadcast, presence } = state.rights;
  if (question === 'broadcast-write') {
    const write = await authorizer.write(asker, 'broadcast');
    return write.ok ? { presence, broadcast: { ...broadcast, write: write.value } } : null;
  }
  // A channel that did not ask for presence when it joined finds out with its first track.
  let { read } = presence;
  if (read === null) {
    const readable = await authorizer.read(asker, ['presence']);
    if (!readable.ok) return null;
    read = readable.value.has('presence');
  }
  const write = await authorizer.write(asker, 'presence');
  return write.ok ? { broadcast, presence: { read, write: write.value } } : null;
}
