import { access, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { MailContent } from '../../config/options/auth-email.ts';
import type { AuthDeps } from '../deps.ts';
import { builtInMails, type MailKind, type MailTemplate } from './kinds.ts';

const fetchTimeoutMs = 10_000;

/** Yields the templates of mails. */
export interface MailBodies {
  /** Subject and body of a kind: what the project gives, else what is built in. */
  load(kind: MailKind): Promise<MailTemplate>;
}

const notifications: ReadonlySet<string> = new Set([
  'password_changed',
  'email_changed',
  'phone_changed',
  'identity_linked',
  'identity_unlinked',
  'mfa_factor_enrolled',
  'mfa_factor_unenrolled',
]);

/** The last good body of a kind, null when there was none, and until when nothing newer is looked for. */
type Kept = { readonly html: string | null; readonly until: number };

/**
 * Creates the templates of a project. A body that cannot be had is reported, and the last good one used, or without one
 * the built-in mail, subject and all.
 *
 * Upstream: internal/mailer/templatemailer/template.go.
 */
export function createMailBodies(
  deps: Pick<AuthDeps, 'config' | 'projectDir' | 'fetch' | 'clock' | 'observer'>,
): MailBodies {
  const kept = new Map<MailKind, Kept>();
  const { config } = deps;
  return {
    async load(kind) {
      const given = notifications.has(kind) ? config.mailNotifications[kind] : config.mailTemplates[kind];
      const builtIn = builtInMails[kind];
      if (given === undefined) return builtIn;
      const subject = given.subject || builtIn.subject;
      const mailOf = (html: string | null): MailTemplate => (html === null ? builtIn : { subject, html });
      const known = kept.get(kind);
      if (known !== undefined && known.until > deps.clock.now()) return mailOf(known.html);
      try {
        const html = await readBody(deps, given);
        if (html === null) return { subject, html: builtIn.html };
        kept.set(kind, { html, until: deps.clock.now() + config.mailTemplateMaxAgeMs });
        return { subject, html };
      } catch (error) {
        const last = known?.html ?? null;
        kept.set(kind, { html: last, until: deps.clock.now() + config.mailTemplateRetryMs });
        deps.observer({
          kind: 'fault',
          service: 'auth',
          message: `the mail body of ${kind} cannot be read`,
          error,
        });
        return mailOf(last);
      }
    },
  };
}

async function readBody(
  deps: Pick<AuthDeps, 'config' | 'projectDir' | 'fetch'>,
  given: MailContent,
): Promise<string | null> {
  if (given.content) return given.content;
  if (given.content_path) return readFile(await locate(deps.projectDir, given.content_path), 'utf8');
  if (!given.content_url) return null;
  const url = new URL(given.content_url, deps.config.siteUrl);
  const reply = await deps.fetch(url, { signal: AbortSignal.timeout(fetchTimeoutMs) });
  if (!reply.ok) throw new Error(`${url.href} answered ${reply.status}`);
  const html = Buffer.from(await reply.arrayBuffer());
  const { mailTemplateMaxBytes: limit } = deps.config;
  if (html.length > limit) throw new Error(`${url.href} is larger than ${limit} bytes`);
  return html.toString();
}

/** Paths are relative to the project; older files wrote them relative to `supabase/`. */
async function locate(projectDir: string, path: string): Promise<string> {
  const direct = resolve(projectDir, path);
  try {
    await access(direct);
    return direct;
  } catch {
    // Not there: the other folder, whose absence is then the error to report.
    return resolve(projectDir, 'supabase', path);
  }
}
