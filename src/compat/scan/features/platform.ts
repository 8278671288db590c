import { differs, type Feature, supported, unsupported } from '../feature.ts';

const FUNCTIONS =
  'Calls answer 501. Run the function elsewhere, e.g. with Deno, and send `/functions/v1` there.';

/** What a project uses beside the four services: functions, GraphQL, its configuration and its packages. */
export const platformFeatures: readonly Feature[] = [
  unsupported('functions.invoke', 'Calls of edge functions', FUNCTIONS, [
    'functions.invoke',
    'functions.setAuth',
    'functions.buildEdgeFunction',
  ]),
  unsupported('functions.source', 'Edge functions in the project', FUNCTIONS),
  unsupported('graphql', 'GraphQL', '`/graphql/v1` answers 501.'),
  supported('client.package', 'A client library'),
  unsupported(
    'client.management',
    'The management API',
    'There is no `api.supabase.com` to ask; use the command line.',
  ),
  supported('config.provider', 'A sign-in provider in config.toml', ['auth.oauth']),
  differs('config.provider.unknown', 'A provider that is not known', 'The key has no effect.'),
  supported('config.hook', 'An auth hook', []),
  supported('config.smtp', 'Mail by SMTP', []),
  supported('config.sms', 'An SMS provider', []),
  supported('config.captcha', 'A captcha', []),
  differs(
    'config.third-party',
    'Tokens of a third-party issuer',
    'They must name the issuer; REST, storage and realtime take them, the auth service takes its own tokens only.',
  ),
  supported('config.saml', 'SAML', [], { note: 'Needs the optional package `@node-saml/node-saml`.' }),
  supported('config.oauth-server', 'The OAuth 2.1 server', [], {
    note: 'ID tokens need an asymmetric signing key.',
  }),
  supported('config.image-transformation', 'Image transformation', ['storage.image'], {
    note: 'Needs the optional package `sharp`.',
  }),
  supported('config.buckets', 'Buckets in config.toml', ['storage.bucket']),
  differs(
    'config.pooler',
    'The connection pooler',
    'There is none beside ownbase: put PgBouncer or Supavisor before the database when other clients need one.',
  ),
  unsupported('config.storage-vector', 'Vector buckets', 'They answer as upstream does when they are off.'),
  unsupported(
    'config.storage-analytics',
    'Analytics buckets',
    'They answer as upstream does when they are off.',
  ),
  differs(
    'config.schema-paths',
    'Declarative schemas',
    '`schema_paths` has no effect; make migrations of them first.',
  ),
  differs('config.unknown', 'An unknown key of config.toml', 'The key has no effect.'),
];
