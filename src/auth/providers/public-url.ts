import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { providerFailure } from '../failures/provider.ts';

/** Networks that an administrator must not make this server talk to, with what they are called. */
const networks: readonly (readonly [name: string, ...ranges: readonly string[]])[] = [
  ['loopback addresses', '127.0.0.0/8', '::1/128'],
  ['private network addresses', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
  ['link-local addresses', '169.254.0.0/16', 'fe80::/10', '224.0.0.0/24', 'ff02::/16'],
  ['multicast addresses', '224.0.0.0/4', 'ff00::/8'],
  ['unspecified addresses', '0.0.0.0/32', '::/128'],
];

const blocked = networks.map(([name, ...ranges]) => {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits = ''] = range.split('/');
    list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return { name, list };
});

const isLocalhost = (host: string): boolean =>
  ['localhost', '127.0.0.1', '::1', '0.0.0.0', '::'].includes(host) || host.endsWith('.localhost');

/**
 * Refuses a URL that is not HTTPS to a public address.
 * Upstream: internal/utilities/url_validator.go (ValidateOAuthURL).
 */
export async function demandPublicUrl(text: string): Promise<void> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null)
    throw providerFailure.url(/^https:/i.test(text) ? 'Invalid URL format' : 'URL must use HTTPS');
  if (url.protocol !== 'https:') throw providerFailure.url('URL must use HTTPS');
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (isLocalhost(host)) throw providerFailure.url('URL cannot point to localhost or loopback addresses');
  for (const address of await addressesOf(host)) {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const found = blocked.find(({ list }) => list.check(address, family));
    if (found !== undefined) throw providerFailure.url(`URL cannot resolve to ${found.name}`);
  }
}

async function addressesOf(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    // Whatever the resolver says, the host cannot be used.
    throw providerFailure.url('Unable to resolve hostname');
  }
}
