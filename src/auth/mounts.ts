import type { Handler } from '../http/exchange.ts';
import type { Mount } from '../http/gateway.ts';

/**
 * Where the service is reached. OAuth clients look for the document of a server at the root of its origin.
 * Upstream: supabase/cli internal/start/templates/kong.yml.
 */
export const authMounts = (handler: Handler): readonly Mount[] => [
  { prefix: '/auth/v1', service: 'auth', handler, credentials: 'apikey', isGuarded: true },
  {
    prefix: '/.well-known/oauth-authorization-server',
    base: '',
    service: 'auth',
    handler,
    credentials: 'untouched',
    isGuarded: false,
  },
];
