/** A configuration file to start from: the options that most people set, with their defaults. */
export const exampleConfig = `## Where the database is: a URL or key=value pairs, as libpq takes them. What is left out comes from PGHOST and its kin.
db-uri = "postgresql://"

## Schemas to serve; requests without a profile use the first
db-schemas = "public"

## Role of requests without a token; without it they are refused
# db-anon-role = "anon"

## Schemas that are on the search path of every request besides its own
db-extra-search-path = "public"

## Most rows that an answer may have
# db-max-rows = 1000

## Function that runs before each request's own statement
# db-pre-request = "function_name"

## Function that answers the root path
# db-root-spec = "function_name"

## End of a transaction: commit, commit-allow-override, rollback or rollback-allow-override.
## The last two roll back unless told otherwise; "allow-override" lets "Prefer: tx" tell.
db-tx-end = "commit"

## Whether aggregate functions may be used, and plans be asked for by "Accept: application/vnd.pgrst.plan"
db-aggregates-enabled = false
db-plan-enabled = false

## Settings of the login role ("alter role ... set pgrst.db_schemas = ...") win over this file
db-config = true
## Function that makes such settings
# db-pre-config = "function_name"

## Channel whose notifications reload the schema cache
db-channel = "pgrst"
db-channel-enabled = true

## Connections, and seconds: to wait for one, that one may be idle, and that one is kept
db-pool = 10
db-pool-acquisition-timeout = 10
db-pool-max-idletime = 30
db-pool-max-lifetime = 1800
## Whether to wait for a database that is away; otherwise the process ends
db-pool-automatic-recovery = true

## Turn this off behind a pooler that shares connections between transactions
db-prepared-statements = true

## Key of tokens: a secret of at least 32 bytes, a JWK, a set of JWKs, or "@file" that holds one
# jwt-secret = "a secret with at least 32 characters"
jwt-secret-is-base64 = false
## Audience that a token with "aud" must name
# jwt-aud = "audience"
## Where a token names its role
jwt-role-claim-key = ".role"
## Verified tokens to remember; 0 for none
jwt-cache-max-entries = 1000

## Address and port, or a socket in their place
server-host = "!4"
server-port = 3000
# server-unix-socket = "/tmp/rest.sock"
# server-unix-socket-mode = "660"

## Origins that browsers may call from; all when empty
# server-cors-allowed-origins = "https://example.com"
## Request header that each answer repeats
# server-trace-header = "X-Request-Id"
## Whether answers carry the header "Server-Timing"
server-timing-enabled = false

## Listener for /live, /ready, /metrics and /schema_cache
# admin-server-port = 3001

## The document at the root path: follow-privileges, ignore-privileges or disabled
openapi-mode = "follow-privileges"
openapi-security-active = false
# openapi-server-proxy-uri = "https://example.com:8443/basePath"

## Requests to log: crit (none), error, warn, info or debug
log-level = "error"
## Whether to log the text of their statements too
log-query = false

## Settings that functions can read as current_setting('app.settings.name')
# app.settings.name = "value"
`;
