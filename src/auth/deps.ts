import type { Values } from '../config/option.ts';
import type { authOptions } from '../config/options/auth.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { Observer } from '../core/observe.ts';
import type { InstanceKeys } from '../identity/instance-keys.ts';
import type { TokenVerifier } from '../identity/verify.ts';
import type { ServiceDb } from '../pg/session.ts';
import type { SmtpSettings } from './mail/smtp.ts';

/** The section of the configuration that the service reads. */
export type AuthConfig = Values<typeof authOptions>;

/** Everything that the auth service needs from outside. */
export type AuthDeps = {
  readonly config: AuthConfig;
  /** Folder that holds `supabase/`, for mail bodies that the configuration names by path. */
  readonly projectDir: string;
  /** The database by the login `supabase_auth_admin`. */
  readonly db: ServiceDb;
  readonly keys: Pick<InstanceKeys, 'signing' | 'jwks'>;
  /** Verifies bearer tokens without leeway, and without regard to `iat`. */
  readonly verifier: TokenVerifier;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Observer;
  /** Public URL of this service, `http://127.0.0.1:54321/auth/v1`, without a slash at its end. */
  readonly externalUrl: string;
  /** Where mail goes; null drops it with a notice. */
  readonly smtp: SmtpSettings | null;
  /** Outgoing requests: hooks, identity providers, text messages, captchas. */
  readonly fetch: typeof fetch;
  /** Cost of new password hashes, upstream's unless given; tests that are not about passwords make it small. */
  readonly hashCost?: number;
  /** Version that `/health` names. */
  readonly version: string;
};
