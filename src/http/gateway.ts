import type { IncomingMessage } from 'node:http';
import type { ServiceId } from '../core/observe.ts';
import { type ApiKeys, effectiveAuthorization } from '../identity/authorization.ts';
import type { Patience } from './body-watch.ts';
import { corsHeaders, isPreflight, preflightReply } from './cors.ts';
import { type Handler, type HttpReply, type HttpRequest, jsonReply } from './exchange.ts';
import type { RoutedRequest, Router } from './server.ts';

/** A service under its path. */
export type Mount = {
  readonly prefix: string;
  /** What is cut from the path; the prefix unless it says less. */
  readonly base?: string;
  readonly service: ServiceId;
  readonly handler: Handler;
  /** Whether the gateway turns an apikey into a bearer token; S3 signs its own Authorization. */
  readonly credentials: 'apikey' | 'untouched';
  /** Whether `require_apikey` applies. */
  readonly isGuarded: boolean;
  /** How long its requests' bodies may take, where it is not the server's time for all. */
  readonly patience?: Patience;
};

/** What the gateway needs besides its mounts. */
export type GatewayOptions = {
  readonly mounts: readonly Mount[];
  readonly keys: ApiKeys;
  readonly requireApikey: boolean;
};

/** Parts of a Supabase origin that ownbase does not serve; they say so. */
const absent: readonly { readonly prefix: string; readonly what: string }[] = [
  { prefix: '/graphql/v1', what: 'GraphQL' },
  { prefix: '/functions/v1', what: 'Edge functions' },
  { prefix: '/pg', what: 'The postgres-meta API' },
];

/** Paths of the auth service that links and identity providers open without a key. */
const openPaths = /^\/auth\/v1\/(\.well-known\/|(verify|callback|authorize|sso\/saml\/(acs|metadata))\/?$)/;

/** One origin for all services: prefix, credentials and CORS, as the gateway in front of Supabase does it. */
export function createGateway(options: GatewayOptions): Router {
  const mounts = [...options.mounts].sort((a, b) => b.prefix.length - a.prefix.length);
  return (method, path, message) => {
    if (isPreflight(method, message.headers)) {
      return local('gateway', path, () => preflightReply(message.headers));
    }
    const mount = mounts.find(({ prefix }) => isUnder(path, prefix));
    if (mount === undefined) return local('gateway', path, () => withEdgeHeaders(unmounted(path), null));
    const apikey = message.headers.apikey;
    const key = typeof apikey === 'string' ? apikey : undefined;
    if (options.requireApikey && mount.isGuarded && !openPaths.test(path)) {
      const refusal = refuse(key, message, options.keys);
      if (refusal !== null) return local(mount.service, path, () => withEdgeHeaders(refusal, null));
    }
    return {
      service: mount.service,
      path: path.slice((mount.base ?? mount.prefix).length),
      authorization:
        mount.credentials === 'untouched'
          ? (message.headers.authorization ?? null)
          : effectiveAuthorization(message.headers.authorization, key, options.keys),
      faultHeaders: corsHeaders,
      patience: mount.patience,
      answer: async (request) => withEdgeHeaders(await mount.handler(request), request),
    };
  };
}

const isUnder = (path: string, prefix: string): boolean =>
  path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');

const local = (service: ServiceId, path: string, answer: () => HttpReply): RoutedRequest => ({
  service,
  path,
  authorization: null,
  answer: () => Promise.resolve(answer()),
});

function withEdgeHeaders(reply: HttpReply, request: HttpRequest | null): HttpReply {
  const identified = request === null ? {} : { 'sb-request-id': request.id };
  return { ...reply, headers: { ...corsHeaders, ...identified, ...reply.headers } };
}

function unmounted(path: string): HttpReply {
  if (path === '/health' || path === '/') return { ...jsonReply(200, { status: 'ok' }), route: path };
  const missing = absent.find(({ prefix }) => isUnder(path, prefix));
  if (missing !== undefined) {
    return {
      ...jsonReply(501, {
        code: 'not_supported',
        message: `${missing.what} cannot be served by this instance`,
      }),
      route: missing.prefix,
    };
  }
  return jsonReply(404, { message: 'no Route matched with those values' });
}

/** The hosted gateway's answers to a request without a usable key. */
function refuse(apikey: string | undefined, message: IncomingMessage, keys: ApiKeys): HttpReply | null {
  const given =
    apikey ?? new URLSearchParams((message.url ?? '').split('?')[1] ?? '').get('apikey') ?? undefined;
  if (given === undefined) {
    return jsonReply(401, {
      message: 'No API key found in request',
      hint: 'No `apikey` request header or url param was found.',
    });
  }
  const known: readonly string[] = [keys.anonToken, keys.serviceToken, keys.publishableKey, keys.secretKey];
  if (known.includes(given)) return null;
  return jsonReply(401, {
    message: 'Invalid API key',
    hint: 'Double check your Supabase `anon` or `service_role` API key.',
  });
}
