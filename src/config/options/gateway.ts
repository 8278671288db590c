import { boolean, bytes, duration, list, oneOf, optional, port, string } from '../kind.ts';
import { option } from '../option.ts';

/** The edge: where the gateway listens and what it lets in. */
export const gatewayOptions = {
  host: option({
    kind: string,
    default: '127.0.0.1',
    env: ['OWNBASE_HOST'],
    flag: 'host',
    description: 'Address to listen on; 0.0.0.0 opens it to the network (phones on the LAN, containers).',
  }),
  port: option({
    kind: port,
    default: 54_321,
    toml: 'api.port',
    env: ['OWNBASE_PORT'],
    flag: 'port',
    description: 'Port of the gateway: /rest/v1, /auth/v1, /storage/v1 and /realtime/v1.',
  }),
  publicUrl: option({
    kind: optional(string),
    default: null,
    toml: 'api.external_url',
    env: ['SUPABASE_PUBLIC_URL', 'API_EXTERNAL_URL'],
    flag: 'public-url',
    description: 'URL that clients use, when a proxy stands in front. Links in mails derive from it.',
  }),
  adminPort: option({
    kind: port,
    default: 54_330,
    env: ['OWNBASE_ADMIN_PORT'],
    flag: 'admin-port',
    description: 'Port of /live, /ready and /metrics; 0 chooses a free one.',
  }),
  adminHost: option({
    kind: string,
    default: '127.0.0.1',
    env: ['OWNBASE_ADMIN_HOST'],
    description:
      'Address of that port. None of the three asks for a key: open it to a monitoring network only.',
  }),
  tlsCert: option({
    kind: optional(string),
    default: null,
    toml: 'api.tls.cert_path',
    env: ['OWNBASE_TLS_CERT'],
    flag: 'tls-cert',
    description: 'PEM certificate; with tls-key the gateway serves HTTPS.',
  }),
  tlsKey: option({
    kind: optional(string),
    default: null,
    toml: 'api.tls.key_path',
    env: ['OWNBASE_TLS_KEY'],
    flag: 'tls-key',
    description: 'PEM private key of the certificate.',
  }),
  requireApikey: option({
    kind: boolean,
    default: false,
    env: ['OWNBASE_REQUIRE_APIKEY'],
    flag: 'require-apikey',
    description: 'Answer 401 to requests without an API key, as the hosted gateway does.',
  }),
  trustedProxies: option({
    kind: list,
    default: [],
    env: ['OWNBASE_TRUSTED_PROXIES'],
    flag: 'trusted-proxies',
    description: 'Addresses or CIDR blocks of proxies whose X-Forwarded-* headers count.',
  }),
  maxBodyBytes: option({
    kind: bytes,
    default: 100 * 1024 ** 2,
    env: ['OWNBASE_MAX_BODY'],
    description: 'Largest request body of the REST service; the other services have limits of their own.',
  }),
  requestTimeoutMs: option({
    kind: duration,
    default: 300_000,
    env: ['OWNBASE_REQUEST_TIMEOUT'],
    description: 'Time a client has to send one whole request; uploads to storage have their own.',
  }),
  drainTimeoutMs: option({
    kind: duration,
    default: 10_000,
    env: ['OWNBASE_DRAIN_TIMEOUT'],
    description: 'Time that running requests get to finish when the process is asked to stop.',
  }),
  logLevel: option({
    kind: oneOf('silent', 'error', 'warn', 'info', 'debug'),
    default: 'info',
    env: ['OWNBASE_LOG_LEVEL'],
    flag: 'log-level',
    description: 'What is logged; info has one line per request.',
  }),
};
