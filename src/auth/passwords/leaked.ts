import { createHash } from 'node:crypto';
import type { AuthDeps } from '../deps.ts';
import { fault } from '../failures/table.ts';
import { createBloomFilter } from './bloom-filter.ts';

const api = 'https://api.pwnedpasswords.com/range/';
const timeoutMs = 5_000;
const prefixLength = 5;

/** Tells whether haveibeenpwned.com knows a password. */
export type LeakCheck = (password: string) => Promise<boolean>;

/**
 * Creates the check. The service is told five characters of the hash, and which of the answers is meant is found here.
 * When it cannot be asked, passwords pass unless the configuration says otherwise. Where the configuration wants that,
 * hashes of earlier answers are kept in a filter, and what it holds is refused without asking.
 *
 * Upstream: internal/api/password.go, internal/utilities/hibpcache.go.
 */
export function createLeakCheck(deps: Pick<AuthDeps, 'config' | 'fetch' | 'observer'>): LeakCheck {
  const { config } = deps;
  const known = config.passwordHibpBloomEnabled
    ? createBloomFilter(config.passwordHibpBloomItems, config.passwordHibpBloomFalsePositives)
    : null;
  return async (password) => {
    if (!config.passwordHibpEnabled) return false;
    const hash = createHash('sha1').update(password).digest('hex').toUpperCase();
    if (known?.has(hash)) return true;
    try {
      const leaked = await leakedBeside(deps, hash.slice(0, prefixLength));
      known?.add(leaked);
      return leaked.includes(hash);
    } catch (cause) {
      if (config.passwordHibpFailClosed) {
        throw fault('Unable to perform password strength check with HaveIBeenPwned.org.', { cause });
      }
      deps.observer({
        kind: 'notice',
        service: 'auth',
        level: 'warn',
        message: 'leaked passwords could not be looked up; the password was let through',
      });
      return false;
    }
  };
}

/** Every leaked hash that begins with a prefix. Rejects with an `Error` when the service does not tell. */
async function leakedBeside(
  deps: Pick<AuthDeps, 'config' | 'fetch'>,
  prefix: string,
): Promise<readonly string[]> {
  const reply = await deps.fetch(api + prefix, {
    signal: AbortSignal.timeout(timeoutMs),
    // Answers of one length do not tell a listener which prefix was asked for.
    headers: { 'add-padding': 'true', 'user-agent': deps.config.passwordHibpUserAgent },
  });
  if (!reply.ok) throw new Error(`the service answered ${reply.status}`);
  return (await reply.text()).split(/\r?\n/).flatMap((line) => {
    const [suffix = '', count] = line.split(':');
    return Number(count) > 0 ? [prefix + suffix] : [];
  });
}
