import { access, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { MailContent } from '../../config/options/auth-email.ts';
import type { AuthDeps } from '../deps.ts';
import { builtInMails, type MailKind, type MailTemplate } from './kinds.ts';

const maxBytes = 1_000_000;
const fetchTimeoutMs = 10_000;
const keepMs = 600_000;

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

/** Creates the templates of a project. A body that cannot be had is reported, and the last good or built-in one used. */
export function createMailBodies(
  deps: Pick<AuthDeps, 'config' | 'projectDir' | 'fetch' | 'clock' | 'observer'>,
): MailBodies {
  const kept = new Map<MailKind, { readonly html: string; readonly until: number }>();
  const { config } = deps;
  return {
    async load(kind) {
      const given = notifications.has(kind) ? config.mailNotifications[kind] : config.mailTemplates[kind];
      const builtIn = builtInMails[kind];
      if (given === undefined) return builtIn;
      const subject = given.subject || builtIn.subject;
      const known = kept.get(kind);
      if (known !== undefined && known.until > deps.clock.now()) return { subject, html: known.html };
      try {
        const html = await readBody(deps, given);
        if (html === null) return { subject, html: builtIn.html };
        kept.set(kind, { html, until: deps.clock.now() + keepMs });
        return { subject, html };
      } catch (error) {
        deps.observer({
          kind: 'fault',
          service: 'auth',
          message: `the mail body of ${kind} cannot be read`,
          error,
        });
        return { subject, html: known?.html ?? builtIn.html };
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
  const html = await reply.text();
  if (html.length > maxBytes) throw new Error(`${url.href} is larger than ${maxBytes} bytes`);
  return html;
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
