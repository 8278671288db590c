import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** Who sent a request and how, after trusted proxies have been believed. */
export type ClientAddress = { readonly ip: string; readonly protocol: 'http' | 'https' };

/** Decides whose X-Forwarded-* headers count. */
export type ProxyTrust = (address: string) => boolean;

/** Trust for a list of addresses and CIDR blocks; throws `RangeError` for one that is neither. */
export function trustProxies(entries: readonly string[]): ProxyTrust {
  if (entries.length === 0) return () => false;
  const blocks = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address);
    if (family === 0) throw new RangeError(`not an address or CIDR block: ${entry}`);
    const name = family === 4 ? 'ipv4' : 'ipv6';
    if (prefix === undefined) blocks.addAddress(address, name);
    else blocks.addSubnet(address, Number(prefix), name);
  }
  return (address) => {
    const family = isIP(address);
    return family !== 0 && blocks.check(address, family === 4 ? 'ipv4' : 'ipv6');
  };
}

const plainIp = (address: string | undefined): string => (address ?? '').replace(/^::ffff:/, '');

const firstValue = (header: string | string[] | undefined): string | undefined =>
  (Array.isArray(header) ? header[0] : header)?.split(',')[0]?.trim();

/** The client behind a request: the last hop that no trusted proxy vouches for. */
export function clientAddress(message: IncomingMessage, isTrusted: ProxyTrust): ClientAddress {
  const peer = plainIp(message.socket.remoteAddress);
  const direct = (message.socket as TLSSocket).encrypted ? 'https' : 'http';
  if (!isTrusted(peer)) return { ip: peer, protocol: direct };
  const forwarded = String(message.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((hop) => plainIp(hop.trim()))
    .filter((hop) => hop !== '');
  const ip = forwarded.findLast((hop) => !isTrusted(hop)) ?? forwarded[0] ?? peer;
  const scheme = firstValue(message.headers['x-forwarded-proto']);
  return { ip, protocol: scheme === 'https' || scheme === 'http' ? scheme : direct };
}
