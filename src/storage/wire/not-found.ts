import type { HttpReply, HttpRequest } from '../../http/exchange.ts';
import { jsonReply } from '../../http/exchange.ts';

/** Groups of routes that answer for every path below them; elsewhere the server itself does, in its own form. */
const groups = ['/bucket', '/object', '/render/image', '/cdn', '/vector'];

const plainJson = { 'content-type': 'application/json' };

/**
 * The answer to a path that no route has, or that the router could not read for its escapes.
 * Upstream: src/http/not-found-handler.ts, and Fastify outside of the groups.
 */
export function notFoundReply({ method, path, query }: HttpRequest): HttpReply {
  const shown = path === '' ? '/' : path;
  if (!isReadable(shown)) {
    const message = `'${shown}' is not a valid url component`;
    const body = { error: 'Bad Request', code: 'FST_ERR_BAD_URL', message, statusCode: 400 };
    return jsonReply(400, body, plainJson);
  }
  const message = `Route ${method}:${shown}${query === '' ? '' : `?${query}`} not found`;
  const error = 'Not Found';
  return groups.some((group) => shown === group || shown.startsWith(`${group}/`))
    ? jsonReply(404, { statusCode: '404', error, message, code: 'InvalidRequest' }, plainJson)
    : jsonReply(404, { message, error, statusCode: 404 });
}

function isReadable(path: string): boolean {
  try {
    // What comes of it is looked at: a bundler leaves out a call whose result nobody uses.
    return decodeURIComponent(path) !== '';
  } catch {
    // A malformed escape is the only failure.
    return false;
  }
}
