import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { copyProject, type RunningInstance, startInstance } from '../support/cli.ts';

/*
 * Confirmations on: a mail leaves through real SMTP, lands in the development inbox, and its link signs the user in.
 */
let project: Awaited<ReturnType<typeof copyProject>>;
let instance: RunningInstance;
let client: SupabaseClient;

beforeAll(async () => {
  project = await copyProject('journal');
  instance = await startInstance(project.dir, [], { SUPABASE_AUTH_EMAIL_ENABLE_CONFIRMATIONS: 'true' });
  client = createClient(instance.url, instance.env.PUBLISHABLE_KEY ?? '', {
    auth: { persistSession: false, autoRefreshToken: false, flowType: 'implicit' },
    realtime: { transport: WebSocket as never },
  });
});

afterAll(async () => {
  await instance.stop();
  await project.remove();
});

type Mail = {
  readonly To: readonly { readonly Address: string }[];
  readonly Subject: string;
  readonly HTML: string;
};

const latestMail = async (to: string): Promise<Mail> => {
  const search = `${instance.inboxUrl}/api/v1/search?query=${encodeURIComponent(`to:${to}`)}`;
  await expect
    .poll(async () => ((await (await fetch(search)).json()) as { total: number }).total, { timeout: 10_000 })
    .toBeGreaterThan(0);
  return (await (await fetch(`${instance.inboxUrl}/api/v1/message/latest?query=to:${to}`)).json()) as Mail;
};

const linkOf = (mail: Mail): string => (/href="([^"]+)"/.exec(mail.HTML)?.[1] ?? '').replaceAll('&amp;', '&');

describe('a new user whose address is to be confirmed', () => {
  const credentials = { email: 'eve@example.com', password: 'correct horse battery' };

  it('gets no session and may not sign in yet', async () => {
    const { data, error } = await client.auth.signUp(credentials);
    expect(error).toBeNull();
    expect(data.session).toBeNull();
    expect((await client.auth.signInWithPassword(credentials)).error).toMatchObject({
      code: 'email_not_confirmed',
      status: 400,
    });
  });

  it('is signed in by the link of the mail, once', async () => {
    const mail = await latestMail('eve@example.com');
    expect(mail.To[0]?.Address).toBe('eve@example.com');
    const link = linkOf(mail);
    expect(link.startsWith(`${instance.url}/auth/v1/verify?`)).toBe(true);
    const followed = await fetch(link, { redirect: 'manual' });
    const target = new URL(followed.headers.get('location') ?? '');
    expect([followed.status, target.origin]).toEqual([303, 'http://127.0.0.1:3000']);
    const session = new URLSearchParams(target.hash.slice(1));
    const user = await client.auth.getUser(session.get('access_token') ?? '');
    expect(user.data.user?.email).toBe('eve@example.com');
    const again = await fetch(link, { redirect: 'manual' });
    expect(again.headers.get('location')).toContain('error_code=otp_expired');
  });

  it('signs in with the password from then on', async () => {
    expect((await client.auth.signInWithPassword(credentials)).data.session?.access_token).toBeTypeOf(
      'string',
    );
  });
});

describe('the development inbox', () => {
  it('shows a page for people', async () => {
    const page = await fetch(instance.inboxUrl);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('<title>');
  });
});
