import type { AuthDeps } from './deps.ts';
import type { ColumnEncryption } from './encryption.ts';
import type { Hooks } from './hooks/hooks.ts';
import type { Guesses } from './limits/guesses.ts';
import type { AuthLimits } from './limits/limits.ts';
import type { Pretences } from './limits/pretences.ts';
import type { Mailer } from './mail/mailer.ts';
import type { UsedSteps } from './mfa/used-steps.ts';
import type { Passwords } from './passwords/passwords.ts';
import type { OidcVerifier } from './providers/oidc.ts';
import type { RedirectRules } from './redirects/rules.ts';
import type { SmsSender } from './sms/channel.ts';
import type { ServiceProvider } from './sso/service-provider.ts';
import type { AuditLog } from './store/audit.ts';

/** What endpoints and flows work with; made once for a service. */
export type AuthContext = AuthDeps & {
  readonly audit: AuditLog;
  readonly encryption: ColumnEncryption;
  /** Wrong codes of addresses. */
  readonly guesses: Guesses;
  /** Wrong codes of second factors. */
  readonly factorGuesses: Guesses;
  readonly hooks: Hooks;
  readonly limits: AuthLimits;
  readonly mailer: Mailer;
  readonly oidc: OidcVerifier;
  readonly passwords: Passwords;
  readonly pretences: Pretences;
  readonly redirects: RedirectRules;
  /** What this instance is to SAML identity providers; null while SAML is off. */
  readonly serviceProvider: ServiceProvider | null;
  /** Sends text messages; null without an account at a provider. */
  readonly sms: SmsSender | null;
  readonly usedSteps: UsedSteps;
  /** Issuer of access tokens. */
  readonly issuer: string;
  /** The present moment as the database reads it. */
  now(): string;
};
