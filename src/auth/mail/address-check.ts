import { z } from 'zod';
import type { AuthConfig } from '../deps.ts';
import { dnsLookups, type HostLookup, isPlausible, isReachable } from './reachable.ts';

const serviceTimeoutMs = 3_000;
/** What an answer is read of; a verdict takes less. */
const maxVerdictBytes = 32;

type CheckDeps = {
  readonly config: Pick<
    AuthConfig,
    | 'emailValidationExtended'
    | 'emailValidationBlockedMx'
    | 'emailValidationServiceUrl'
    | 'emailValidationServiceHeaders'
  >;
  readonly fetch: typeof fetch;
};

const verdict = z.object({ valid: z.boolean().nullish() });

/**
 * Whether mail may go to an address, as far as the configuration asks: by a look at it and the DNS, and by a service.
 * Upstream: internal/mailer/validateclient.
 */
export async function isMailable(
  deps: CheckDeps,
  email: string,
  ways: readonly HostLookup[] = dnsLookups,
): Promise<boolean> {
  const { emailValidationExtended: isExtended, emailValidationBlockedMx: blocked } = deps.config;
  if (isExtended && !isPlausible(email)) return false;
  const verdicts = await Promise.all([
    isExtended ? isReachable(email, blocked, ways) : true,
    isApproved(deps, email),
  ]);
  return verdicts.every((isGood) => isGood);
}

/** The verdict of the service; without one, or without a service, an address is good. */
async function isApproved({ config, fetch }: CheckDeps, email: string): Promise<boolean> {
  if (config.emailValidationServiceUrl === null) return true;
  const given = Object.entries(config.emailValidationServiceHeaders);
  try {
    const reply = await fetch(config.emailValidationServiceUrl, {
      method: 'POST',
      signal: AbortSignal.timeout(serviceTimeoutMs),
      headers: {
        'content-type': 'application/json',
        ...Object.fromEntries(
          given.flatMap(([name, values]) => values.slice(-1).map((value) => [name, value])),
        ),
      },
      body: JSON.stringify({ email }),
    });
    if (!reply.ok) return true;
    const text = (await reply.text()).slice(0, maxVerdictBytes);
    return verdict.parse(JSON.parse(text)).valid !== false;
  } catch {
    // A service that is down, or that says something else, keeps nobody from signing up.
    return true;
  }
}
