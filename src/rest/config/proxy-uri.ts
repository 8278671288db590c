/** The parts of a public address that the OpenAPI document names. */
export type ProxyAddress = {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
};

const shape =
  /^(?<scheme>https?):\/\/(?<host>[^/:?#@]+|\[[0-9a-f:.]+\])(?::(?<port>\d+))?(?<path>\/[^?#]*)?$/i;

/**
 * Parses an absolute http(s) address without query, fragment or user; null for anything else.
 * Upstream: PostgREST src/PostgREST/Config/Proxy.hs.
 */
export function parseProxyUri(text: string): ProxyAddress | null {
  const groups = shape.exec(text)?.groups;
  if (groups?.scheme === undefined || groups.host === undefined) return null;
  const scheme = groups.scheme.toLowerCase();
  const port = groups.port === undefined ? (scheme === 'https' ? 443 : 80) : Number(groups.port);
  if (port < 1 || port > 65_535) return null;
  return { scheme, host: groups.host, port, path: groups.path ?? '/' };
}
