import type { TusCall } from './call.ts';
import { encodeUploadId } from './upload-id.ts';

/** An upload, and how its maker addressed this server as the headers have it. */
export type Seen = {
  readonly id: string;
  readonly proto: string;
  readonly host: string | null;
};

const isLoopback = (hostname: string): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(hostname);

/**
 * The URL of an upload, under the name that the client used: a public URL that only this machine can reach is no
 * answer to a client that came by another one. What proxies say counts, trusted or not, since nobody but the maker of
 * the upload is told.
 *
 * Upstream: src/http/routes/tus/lifecycle.ts (generateUrl).
 */
export function locationOf({ deps, request }: TusCall, seen: Seen): string {
  const prefix = request.headers['x-forwarded-prefix'];
  const path = `${typeof prefix === 'string' ? prefix.replace(/\/+$/, '') : ''}${request.fullPath.replace(/\/+$/, '')}`;
  return `${originOf(deps.publicUrl, request, seen)}${path}/${encodeUploadId(seen.id)}`;
}

function originOf(
  publicUrl: string,
  { headers, protocol }: TusCall['request'],
  { proto, host }: Seen,
): string {
  const configured = new URL(publicUrl);
  if (host === null || !isLoopback(configured.hostname)) return configured.origin;
  const scheme = protocol === 'https' ? protocol : proto;
  return `${scheme}://${withPort(host, headers)}`;
}

const usualPorts = ['80', '443'];

/** A proxy may name its port apart from its host. */
function withPort(host: string, headers: TusCall['request']['headers']): string {
  const port = headers['x-forwarded-port'];
  if (headers['x-forwarded-host'] === undefined || typeof port !== 'string') return host;
  return port === '' || usualPorts.includes(port) ? host : `${host.replace(/:\d+$/, '')}:${port}`;
}
