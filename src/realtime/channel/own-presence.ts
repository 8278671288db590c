import type { RateCounter } from '../limits.ts';
import type { Hub } from './hub.ts';
import type { Space } from './message.ts';
import type { Member } from './topic.ts';

/** What one channel shows of itself to its topic. */
export interface OwnPresence {
  /** Shows this, in the place of what was shown before; `payload` is JSON text. */
  track(payload: string): void;
  untrack(): void;
  /** JSON text of who is there; null when more is told of presence than the project may. */
  state(): string | null;
}

/** Where a channel shows itself, and as whom. */
export type OwnPresenceOptions = {
  readonly hub: Hub;
  readonly space: Space;
  readonly subTopic: string;
  readonly member: Member;
  /** What its metas stand under. */
  readonly key: string;
  /** Counts messages of presence. */
  readonly events: RateCounter;
  readonly nextRef: () => string;
};

/** Creates the presence of a channel that shows nothing yet. */
export function createOwnPresence(options: OwnPresenceOptions): OwnPresence {
  const { hub, space, subTopic, member, key, events, nextRef } = options;
  let shown: string | null = null;
  return {
    track(payload) {
      const phxRef = nextRef();
      const meta = { phxRef, previous: shown, payload };
      shown = phxRef;
      events.add();
      hub.track(space, subTopic, { member: member.id, key, meta });
    },
    untrack() {
      shown = null;
      hub.untrack(space, subTopic, member);
    },
    state() {
      if (events.isExceeded()) return null;
      events.add();
      return hub.presenceState(space, subTopic);
    },
  };
}
