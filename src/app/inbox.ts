import type { Config } from '../config/load.ts';
import type { Observer } from '../core/observe.ts';
import type { Inbox } from '../inbox/inbox.ts';

const inboxHost = '127.0.0.1';

/**
 * Starts the development inbox unless mail has a server to go to. A taken port is no reason not to start: it warns,
 * and mail is dropped with a notice.
 */
export async function openInbox(input: {
  readonly config: Config;
  readonly observer: Observer;
}): Promise<Inbox | null> {
  const { auth, inbox } = input.config;
  if (!inbox.enabled || (auth.smtpEnabled && auth.smtpHost !== null)) return null;
  const { startInbox } = await import('../inbox/inbox.ts');
  try {
    return await startInbox({ host: inboxHost, port: inbox.port, smtpPort: inbox.smtpPort ?? 0 });
  } catch (thrown) {
    if (!isTakenPort(thrown)) throw thrown;
    input.observer({
      kind: 'notice',
      service: 'inbox',
      level: 'warn',
      message: `the inbox's port ${inbox.port} is taken: no mail is caught (--inbox-port chooses another)`,
    });
    return null;
  }
}

const isTakenPort = (thrown: unknown): boolean =>
  thrown instanceof Error && 'code' in thrown && thrown.code === 'EADDRINUSE';
