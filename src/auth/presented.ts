import { isIP } from 'node:net';
import type { HttpRequest } from '../http/exchange.ts';
import type { AuthConfig } from './deps.ts';

/** The first address that a proxy put into `Sb-Forwarded-For`; null when it does not count or is none. */
export function forwardedAddress(config: AuthConfig, request: HttpRequest): string | null {
  if (!config.sbForwardedFor) return null;
  const value = request.headers['sb-forwarded-for'];
  const first =
    String(value ?? '')
      .split(',')[0]
      ?.trim() ?? '';
  return isIP(first) === 0 ? null : first;
}

/**
 * A request with the id and the client's address that the configuration says it comes with.
 * Upstream: internal/observability/request-logger.go (AddRequestID), internal/sbff.
 */
export function presented(config: AuthConfig, request: HttpRequest): HttpRequest {
  const { requestIdHeader } = config;
  if (requestIdHeader === null && !config.sbForwardedFor) return request;
  const given = requestIdHeader === null ? undefined : request.headers[requestIdHeader.toLowerCase()];
  const id = typeof given === 'string' && given !== '' ? given : request.id;
  return { ...request, id, ip: forwardedAddress(config, request) ?? request.ip };
}
