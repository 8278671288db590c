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

const partsOf = (email: string): { readonly name: string; readonly host: string } => {
  const at = email.lastIndexOf('@');
  return { name: email.slice(0, at), host: email.slice(at + 1).toLowerCase() };
};

/** Whether an address is not wrong in itself, which is told without asking anybody. */
export function isPlausible(email: string): boolean {
  const { name, host } = partsOf(email);
  return !(
    invented.has(`${name}@${host}`) ||
    wrongHosts.has(host) ||
    reservedNames.some((reserved) => host.endsWith(`.${reserved}`)) ||
    (host === 'gmail.com' && name.length < minGmailName) ||
    !host.includes('.')
  );
}

/** Servers that take a host's mail, by name or address; rejects with an `Error` whose `code` says why there is none. */
export type HostLookup = (host: string) => Promise<readonly string[]>;

const mailServers: HostLookup = async (host) => (await resolveMx(host)).map(({ exchange }) => exchange);

/** A host without mail servers takes mail itself (RFC 5321, section 5.1). */
const ownAddresses: HostLookup = async (host) => {
  const answers = await Promise.allSettled([resolve4(host), resolve6(host)]);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (found.length > 0) return found;
  const reasons = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  throw reasons.find((reason) => !isNo(reason)) ?? reasons[0];
};

/** What the DNS is asked for, in this order. */
export const dnsLookups: readonly HostLookup[] = [mailServers, ownAddresses];

/** Answers of the DNS that are a no; any other failure is trouble of its own. */
const isNo = (thrown: unknown): boolean =>
  ['ENOTFOUND', 'ENODATA'].includes((thrown as { code?: string } | null)?.code ?? '');

const patienceMs = 3_000;

/** Servers of the first lookup that finds any; none when the DNS has trouble, null when it is certain of none. */
async function serversOf(host: string, ways: readonly HostLookup[]): Promise<readonly string[] | null> {
  for (const lookup of ways) {
    try {
      return await lookup(host);
    } catch (thrown) {
      if (!isNo(thrown)) return [];
    }
  }
  return null;
}

const withoutDot = (name: string): string => name.replace(/\.$/, '');

/**
 * Whether the host of an address takes mail, by a server that is not blocked. Trouble with the DNS does not count
 * against it.
 *
 * Upstream: internal/mailer/validateclient.
 */
export async function isReachable(
  email: string,
  blocked: readonly string[],
  ways: readonly HostLookup[],
): Promise<boolean> {
  const { host } = partsOf(email);
  if (wellKnown.has(host)) return true;
  let timer: NodeJS.Timeout | undefined;
  const slow = new Promise<readonly string[]>((resolve) => {
    timer = setTimeout(() => resolve([]), patienceMs);
  });
  const servers = await Promise.race([serversOf(host, ways), slow]);
  clearTimeout(timer);
  if (servers === null) return false;
  const refused = new Set(blocked.map(withoutDot));
  return !servers.some((server) => refused.has(withoutDot(server)));
}
