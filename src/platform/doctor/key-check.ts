import { decodeJwt } from 'jose';
import { epochSeconds } from '../../core/clock.ts';
import { type Check, fail, healthy, type Verdict, warn } from './check.ts';

const noticeSeconds = 90 * 24 * 60 * 60;

/** The keys of the API end at the date within them; those of the docker examples on 2027-01-09. */
export const keyCheck: Check = {
  id: 'api-keys',
  title: 'Expiry of the API keys',
  async run({ apiKeys, clock }) {
    const now = epochSeconds(clock);
    const ends = apiKeys.flatMap((key) => {
      const { exp, role } = claimsOf(key);
      return typeof exp === 'number' ? [{ exp, role: String(role) }] : [];
    });
    return judge(ends, now);
  },
};

function judge(ends: readonly { exp: number; role: string }[], now: number): Verdict {
  const remedy = 'Make new keys with `ownbase keys`, and give them to the apps.';
  const list = (some: readonly { exp: number; role: string }[]) =>
    some.map(({ exp, role }) => `${role} on ${new Date(exp * 1000).toISOString().slice(0, 10)}`).join(', ');
  const ended = ends.filter(({ exp }) => exp <= now);
  if (ended.length > 0) return fail(`keys have expired: ${list(ended)}`, remedy);
  const ending = ends.filter(({ exp }) => exp <= now + noticeSeconds);
  return ending.length > 0 ? warn(`keys expire soon: ${list(ending)}`, remedy) : healthy;
}

function claimsOf(key: string): Record<string, unknown> {
  try {
    return decodeJwt(key);
  } catch {
    // Publishable and secret keys are no JWTs and have no end.
    return {};
  }
}
