import type { Clock } from '../../core/clock.ts';
import type { Session } from '../session.ts';

/** A token is looked at again after this time, though it has not expired. */
const checkMs = 5 * 60_000;

/** Sees to it that the token of a channel is checked again and again. */
export interface TokenWatch {
  /** Watches this session from now on, and no other. */
  watch(session: Session): void;
  stop(): void;
}

/** Creates the watch; `onDue` is called when a token expires, and every few minutes before. */
export function createTokenWatch(clock: Clock, onDue: () => void): TokenWatch {
  let timer: NodeJS.Timeout | null = null;
  const stop = (): void => {
    if (timer !== null) clearTimeout(timer);
  };
  return {
    watch({ expiresAt }) {
      stop();
      const untilExpiry = expiresAt * 1_000 - clock.now();
      timer = setTimeout(onDue, Math.max(0, Math.min(checkMs, untilExpiry)));
    },
    stop,
  };
}
