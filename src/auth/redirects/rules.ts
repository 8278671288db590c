import { isIP } from 'node:net';
import { globToRegExp } from './glob.ts';

/** Decides where users may be sent. */
export interface RedirectRules {
  /** The first permitted URL of the wishes, else the site's. */
  choose(...wishes: readonly string[]): string;
  isPermitted(url: string): boolean;
}

const maxLength = 8192;

/** A URL taken apart as written: browsers would turn `2130706433` into 127.0.0.1 before it can be refused. */
type RawUrl = {
  readonly scheme: string;
  readonly host: string;
  readonly port: string;
  readonly hasUser: boolean;
};

function takeApart(url: string): RawUrl | null {
  // Browsers read a backslash as a slash and drop tabs and line ends, so that what is checked is not what is visited.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (url.length > maxLength || /[\u0000-\u0020\u007f\\]/.test(url)) return null;
  const match = /^([a-zA-Z][a-zA-Z0-9+.-]*):(?:\/\/([^/?#]*))?/.exec(url);
  if (match === null) return null;
  const authority = match[2] ?? '';
  const at = authority.lastIndexOf('@');
  const hostAndPort = authority.slice(at + 1);
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(hostAndPort);
  if (parts === null) return null;
  return {
    scheme: (match[1] ?? '').toLowerCase(),
    host: (parts[1] ?? '').replace(/^\[|\]$/g, ''),
    port: parts[2] ?? '',
    hasUser: at >= 0,
  };
}

const isLoopbackAddress = (host: string): boolean => /^127\./.test(host) || host === '::1';

const isLocalHost = (host: string): boolean =>
  ['localhost', '127.0.0.1', '::1', '0.0.0.0', '::'].includes(host) || host.endsWith('.localhost');

const regularHost = /^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/;

/**
 * Creates the rules of a site and its further globs; throws `SyntaxError` for a glob that cannot be read.
 * Upstream: internal/utilities/request.go (IsRedirectURLValid).
 */
export function createRedirectRules(siteUrl: string, globs: readonly string[]): RedirectRules {
  const site = takeApart(siteUrl);
  const patterns = globs.map(globToRegExp);
  const isPermitted = (url: string): boolean => {
    const target = url === '' ? null : takeApart(url);
    if (target === null || target.hasUser) return false;
    if (site !== null && isSameSite(site, target)) return true;
    if (/^\d+$/.test(target.host)) return false;
    if (isIP(target.host) !== 0) return isLoopbackAddress(target.host);
    const isWeb = target.scheme === 'http' || target.scheme === 'https';
    if (isWeb && !regularHost.test(target.host)) return false;
    const [matched = ''] = url.split('#', 1);
    return patterns.some((pattern) => pattern.test(matched));
  };
  return { isPermitted, choose: (...wishes) => wishes.find(isPermitted) ?? siteUrl };
}

/** Native apps listen on any port of the loopback interface (RFC 8252, 7.3), so there the port is free. */
const isSameSite = (site: RawUrl, target: RawUrl): boolean =>
  site.scheme === target.scheme &&
  site.host === target.host &&
  site.host !== '' &&
  (site.port === target.port || isLocalHost(target.host));
