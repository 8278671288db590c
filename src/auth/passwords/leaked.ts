import { createHash } from 'node:crypto';
import type { AuthDeps } from '../deps.ts';
import { fault } from '../failures/table.ts';

const api = 'https://api.pwnedpasswords.com/range/';
const timeoutMs = 5_000;
const prefixLength = 5;

/**
 * Whether haveibeenpwned.com knows a password. It is told five characters of the hash, and which of the answers is
 * meant is found here. When it cannot be asked, passwords pass unless the configuration says otherwise.
 *
 * Upstream: internal/api/password.go.
 */
export async function isLeaked(
  deps: Pick<AuthDeps, 'config' | 'fetch' | 'observer'>,
  password: string,
): Promise<boolean> {
  if (!deps.config.passwordHibpEnabled) return false;
  const hash = createHash('sha1').update(password).digest('hex').toUpperCase();
  try {
    const reply = await deps.fetch(api + hash.slice(0, prefixLength), {
      signal: AbortSignal.timeout(timeoutMs),
      // Answers of one length do not tell a listener which prefix was asked for.
      headers: { 'add-padding': 'true', 'user-agent': deps.config.passwordHibpUserAgent },
    });
    if (!reply.ok) throw new Error(`the service answered ${reply.status}`);
    const rest = hash.slice(prefixLength);
    return (await reply.text()).split(/\r?\n/).some((line) => {
      const [suffix, count] = line.split(':');
      return suffix === rest && Number(count) > 0;
    });
  } catch (cause) {
    if (deps.config.passwordHibpFailClosed) {
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
}
