import { resolve4, resolve6, resolveMx } from 'node:dns/promises';

/** Addresses that people make up; mail to them bounces. */
const invented: ReadonlySet<string> = new Set([
  'test@gmail.com',
  'example@gmail.com',
  'someone@gmail.com',
  'test@email.com',
]);

const reservedNames = ['test', 'example', 'invalid', 'local', 'localhost'] as const;

/** Reserved hosts, and those that are typed for others. */
const wrongHosts: ReadonlySet<string> = new Set([
  ...reservedNames,
  ...['test.com', 'example.com', 'example.net', 'example.org'],
  ...['gamil.com', 'gamai.com', 'anonymous.com', 'email.com'],
]);

/** Hosts that are there without being asked for. */
const wellKnown: ReadonlySet<string> = new Set([
  ...[
    'gmail.com',
    'yahoo.com',
    'hotmail.com',
    'aol.com',
    'outlook.com',
    'comcast.net',
    'icloud.com',
    'msn.com',
  ],
  ...['hotmail.co.uk', 'sbcglobal.net', 'live.com', 'yahoo.co.in', 'me.com', 'att.net', 'mail.ru'],
  ...['bellsouth.net', 'cox.net', 'yahoo.co.uk', 'verizon.net'],
]);

const minGmailName = 6;

/** Whether an address can be told to be wrong without asking anybody. */
function isWrongInItself(name: string, host: string): boolean {
  return (
    invented.has(`${name}@${host}`) ||
    wrongHosts.has(host) ||
    reservedNames.some((reserved) => host.endsWith(`.${reserved}`)) ||
    (host === 'gmail.com' && name.length < minGmailName) ||
    !host.includes('.')
  );
}

/** Looks for a host that takes mail; rejects with an `Error` whose `code` says why there is none. */
export type HostLookup = (host: string) => Promise<unknown>;

const lookups: readonly HostLookup[] = [resolveMx, resolve4, resolve6];

/** Answers of the DNS that are a no; any other failure is trouble of its own. */
const isNo = (thrown: unknown): boolean =>
  ['ENOTFOUND', 'ENODATA'].includes((thrown as { code?: string } | null)?.code ?? '');

const patienceMs = 3_000;

/** Whether the DNS is certain that a host cannot be mailed to; trouble with the DNS is no such certainty. */
async function isUnknownHost(host: string, ways: readonly HostLookup[]): Promise<boolean> {
  for (const lookup of ways) {
    try {
      await lookup(host);
      return false;
    } catch (thrown) {
      if (!isNo(thrown)) return false;
    }
  }
  return true;
}

/**
 * Whether mail to an address may arrive.
 * Upstream: internal/mailer/validateclient.
 */
export async function isReachable(email: string, ways: readonly HostLookup[] = lookups): Promise<boolean> {
  const at = email.lastIndexOf('@');
  const [name, host] = [email.slice(0, at), email.slice(at + 1).toLowerCase()];
  if (isWrongInItself(name, host)) return false;
  if (wellKnown.has(host)) return true;
  let timer: NodeJS.Timeout | undefined;
  const slow = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs);
  });
  const isUnknown = await Promise.race([isUnknownHost(host, ways), slow]);
  clearTimeout(timer);
  return !isUnknown;
}
