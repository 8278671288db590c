import type { EventRate } from '../../config/options/auth-limits.ts';
import type { Clock } from '../../core/clock.ts';

/** A limit on everybody together. */
export interface EventQuota {
  /** Counts one event; false when there are too many. */
  take(): boolean;
}

/**
 * A quota as upstream counts: windows of fixed length from the start of the process, or a bucket that refills.
 * Upstream: internal/ratelimit.
 */
export function createEventQuota(clock: Clock, rate: EventRate): EventQuota {
  if (rate.kind === 'fixed') {
    let windowEnd = clock.now() + rate.overMs;
    let used = 0;
    return {
      take() {
        const now = clock.now();
        if (now >= windowEnd) {
          windowEnd = now + rate.overMs;
          used = 0;
        }
        return ++used <= rate.events;
      },
    };
  }
  let tokens = rate.events;
  let at = clock.now();
  return {
    take() {
      const now = clock.now();
      tokens = Math.min(rate.events, tokens + (now - at) / rate.overMs);
      at = now;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
