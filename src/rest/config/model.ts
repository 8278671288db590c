import type { QualifiedName } from '../../catalog/model.ts';
import type { Isolation } from '../../pg/session.ts';
import type { JsPath } from '../jwt/js-path.ts';

/** What happens to a request's transaction at its end, and whether `Prefer: tx` may say otherwise. */
export type TransactionEnd = { readonly rollback: boolean; readonly allowOverride: boolean };

/** Which relations and functions the OpenAPI document names. */
export type OpenApiMode = 'follow-privileges' | 'ignore-privileges' | 'disabled';

/** How bearer tokens are verified and read. */
export type JwtConfig = {
  /** A secret's bytes, or the text of a JWK or a JWK set; null refuses every token. */
  readonly secret: Buffer | null;
  /** Whether the secret was given as base64. */
  readonly isSecretBase64: boolean;
  /** Audience that a token with `aud` must name; null for any. */
  readonly audience: string | null;
  readonly roleClaimPath: JsPath;
  /** Verified tokens that are remembered; 0 for none. */
  readonly cacheMaxEntries: number;
};

/** The options of the REST service that concern a request. */
export type RestConfig = {
  /** Exposed schemas; the first is the default. */
  readonly schemas: readonly [string, ...string[]];
  readonly extraSearchPath: readonly string[];
  /** Role of requests without a token; null refuses them. */
  readonly anonRole: string | null;
  /** Most rows that a read may give; null for no limit. */
  readonly maxRows: number | null;
  readonly aggregatesEnabled: boolean;
  /** Whether `application/vnd.pgrst.plan` is answered. */
  readonly planEnabled: boolean;
  /** Function run before each request's own statement. */
  readonly preRequest: QualifiedName | null;
  /** Function that answers the root path in place of the OpenAPI document. */
  readonly rootSpec: QualifiedName | null;
  readonly transactionEnd: TransactionEnd;
  readonly openApiMode: OpenApiMode;
  /** Whether the OpenAPI document declares the Authorization header. */
  readonly openApiSecurityActive: boolean;
  /** Address that the OpenAPI document gives in place of the server's own. */
  readonly openApiServerProxyUri: string | null;
  /** Address of the listener, for the OpenAPI document. */
  readonly serverHost: string;
  readonly serverPort: number;
  /** Names (regular expressions) of function settings that hold for the whole transaction. */
  readonly hoistedSettings: readonly string[];
  /** Whether statements are kept prepared on their connection; off behind a pooler that cannot keep them. */
  readonly preparedStatements: boolean;
  /** Origins that browsers may call from; null for any. */
  readonly corsAllowedOrigins: readonly string[] | null;
  /** Request header that each answer repeats. */
  readonly traceHeader: string | null;
  readonly jwt: JwtConfig;
  readonly serverTimingEnabled: boolean;
  /** Settings made for each request, by their full name (`app.settings.x`). */
  readonly appSettings: readonly (readonly [name: string, value: string])[];
  /** Settings that `alter role ... set` gives to a role and each request acting as it gets, by role. */
  readonly roleSettings: ReadonlyMap<string, readonly (readonly [name: string, value: string])[]>;
  /** Isolation that `alter role ... set default_transaction_isolation` gives to a role. */
  readonly roleIsolation: ReadonlyMap<string, Isolation>;
};

/** How much is logged. */
export type LogLevel = 'crit' | 'error' | 'warn' | 'info' | 'debug';

/** Everything that the REST service alone is configured with: the live part, and what holds from start to end. */
export type RestServerConfig = {
  readonly rest: RestConfig;
  readonly database: {
    readonly uri: string;
    readonly poolSize: number;
    readonly acquisitionTimeoutSeconds: number;
    readonly maxLifetimeSeconds: number;
    readonly maxIdleSeconds: number;
    /** Whether a lost database is waited for; otherwise the process ends. */
    readonly automaticRecovery: boolean;
    /** Channel whose notifications reload the schema cache and the configuration. */
    readonly channel: string;
    readonly channelEnabled: boolean;
    /** Whether settings of the database role are read. */
    readonly inDatabaseConfig: boolean;
    /** Function that makes further settings before they are read. */
    readonly preConfig: QualifiedName | null;
  };
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly unixSocket: string | null;
    readonly unixSocketMode: number;
  };
  /** The listener for health and metrics; there is none without a port. */
  readonly admin: { readonly host: string; readonly port: number | null };
  readonly log: { readonly level: LogLevel; readonly query: boolean };
};
