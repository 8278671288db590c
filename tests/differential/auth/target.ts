import { createMask, type Mask } from './mask.ts';
import { clearRows, readRows } from './rows.ts';
import type { Side } from './servers.ts';
import type { Stage } from './stage.ts';

/** What happened at one step, masked. */
export type Recorded = { readonly step: string; readonly result: unknown };

/** An answer, as scenarios look into it. */
export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  // Scenarios reach into answers of many shapes; what is missing shows as a difference.
  // biome-ignore lint/suspicious/noExplicitAny: the shapes are what is compared
  readonly json: any;
};

/** A request of a scenario. A body that is text is sent as it stands. */
export type Ask = {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A mail's link and code. */
export type Mail = { readonly query: string; readonly code: string; readonly hash: string };

/** One server during a replay; every request is recorded. */
export interface Target {
  /** Where the server is, for messages that name it. */
  readonly url: string;
  readonly serviceKey: string;
  readonly stage: Stage;
  ask(step: string, method: string, path: string, ask?: Ask): Promise<Answer>;
  /** Waits for the next mail to an address. */
  mail(to: string): Promise<Mail>;
  /** Changes rows behind the server's back: time that passes, rows that an import left. */
  exec(script: string): Promise<void>;
  /** Records what the scenario left behind: mails, calls of hooks, rows. */
  finish(): Promise<readonly Recorded[]>;
}

const comparedHeaders = [
  'allow',
  'cache-control',
  'content-type',
  'link',
  'location',
  'retry-after',
  'sb-auth-refresh-token-counter',
  'sb-auth-refresh-token-prefix',
  'sb-auth-refresh-token-reuse',
  'sb-auth-refresh-token-reuse-cause',
  'sb-auth-refresh-token-rotated',
  'sb-auth-session-id',
  'sb-auth-user-id',
  'x-sb-error-code',
  'x-supabase-api-version',
  'x-total-count',
];

/** Opens a target; the inbox and the tables are emptied. */
export async function openTarget(side: Side, serviceKey: string): Promise<Target> {
  const recorded: Recorded[] = [];
  const mask = createMask({ url: side.url, stageUrl: side.stage.url });
  await fetch(`${side.inboxUrl}/api/v1/messages`, { method: 'DELETE', body: '{}' });
  await clearRows(side.database);
  side.stage.hookCalls.length = 0;
  side.stage.hookAnswers.clear();
  const seen = new Set<string>();
  return {
    url: side.url,
    serviceKey,
    stage: side.stage,
    async ask(step, method, path, ask = {}) {
      const reply = await send(side.url + path, method, ask);
      const text = await reply.text();
      const json = parse(text);
      mask.at(String(recorded.length));
      recorded.push({ step: mask.text(step), result: record(mask, reply, text, json) });
      return { status: reply.status, headers: reply.headers, json };
    },
    mail: (to) => nextMail(side.inboxUrl, to, seen),
    exec: (script) => side.database.exec(script),
    async finish() {
      const counts = new Map<string, number>();
      const note = (step: string, value: unknown): void => {
        const count = (counts.get(step) ?? 0) + 1;
        counts.set(step, count);
        mask.at(`${step} ${count}`);
        recorded.push({ step, result: mask.value(value) });
      };
      for (const mail of await allMails(side.inboxUrl)) note(`mail to ${mail.to}`, mail);
      for (const { hook, payload } of side.stage.hookCalls) note(`hook ${hook}`, payload);
      for (const { table, rows } of await readRows(side.database)) {
        for (const [i, row] of rows.entries()) {
          mask.at(`row ${i + 1} of ${table}`);
          const result = mask.value(row);
          recorded.push({ step: `row ${rowName(result) ?? i + 1} of ${table}`, result });
        }
      }
      return recorded;
    },
  };
}

/** Refresh tokens go by what answers called them, so that those that one side lacks do not shift the others. */
const rowName = (row: unknown): string | null => {
  const { token, session_id } = row as { readonly token?: string; readonly session_id?: string };
  return token === undefined || session_id === undefined ? null : token;
};

/**
 * Has a side do once what is slower, or otherwise, the first time in a process: signing a token, sending a mail. What it
 * refuses under its settings stays undone.
 */
export async function warmUp({ url, inboxUrl, stage }: Side, serviceKey: string): Promise<void> {
  const credentials = { email: 'first@example.com', password: 'Correct-horse-1' };
  await send(`${url}/admin/users`, 'POST', {
    token: serviceKey,
    body: { ...credentials, email_confirm: true },
  });
  await send(`${url}/token?grant_type=password`, 'POST', { body: credentials });
  await send(`${url}/invite`, 'POST', { token: serviceKey, body: { email: 'second@example.com' } });
  const deadline = Date.now() + patienceMs;
  const isMailed = async () =>
    stage.hookCalls.some(({ hook }) => hook === 'SEND_EMAIL') || (await listMails(inboxUrl, '')).length > 0;
  while (!(await isMailed()) && Date.now() < deadline) await pause();
}

const send = (url: string, method: string, ask: Ask): Promise<Response> =>
  fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(ask.token === undefined ? {} : { authorization: `Bearer ${ask.token}` }),
      ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...ask.headers,
    },
    ...(ask.body === undefined
      ? {}
      : { body: typeof ask.body === 'string' ? ask.body : JSON.stringify(ask.body) }),
  });

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not every answer is JSON; the text is recorded then.
    return null;
  }
}

function record(mask: Mask, reply: Response, text: string, json: unknown): unknown {
  const isRedirect = reply.status >= 300 && reply.status < 400;
  const headers = comparedHeaders
    .filter((name) => !(isRedirect && name === 'content-type'))
    .map((name) => [name, reply.headers.get(name)] as const)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, headerValue(mask, name, value ?? '')]);
  return {
    status: reply.status,
    headers: Object.fromEntries(headers),
    // What a redirect says to people who look at it is up to each server.
    body: isRedirect ? null : json === null ? mask.text(text) : mask.value(json),
    claims: mask.value(claimsOf(json)),
  };
}

function headerValue(mask: Mask, name: string, value: string): string {
  // The prefix of a refresh token is a secret of the run.
  if (name === 'sb-auth-refresh-token-prefix') return '<prefix>';
  // Upstream names the methods in no order.
  return name === 'allow' ? value.split(', ').sort().join(', ') : mask.text(value);
}

/** The claims of an access token, which are compared in full. */
function claimsOf(json: unknown): unknown {
  const token = (json as { access_token?: unknown } | null)?.access_token;
  if (typeof token !== 'string') return null;
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

type InboxMail = {
  readonly Subject: string;
  readonly HTML: string;
  readonly From: { readonly Name: string; readonly Address: string };
  readonly To: readonly { readonly Address: string }[];
};

async function readMail(inboxUrl: string, id: string): Promise<InboxMail> {
  return (await (await fetch(`${inboxUrl}/api/v1/message/${id}`)).json()) as InboxMail;
}

async function listMails(inboxUrl: string, query: string): Promise<readonly string[]> {
  const list = await fetch(`${inboxUrl}/api/v1/search?limit=500&query=${encodeURIComponent(query)}`);
  const { messages } = (await list.json()) as { messages: { ID: string }[] };
  return messages.map(({ ID }) => ID).reverse();
}

const patienceMs = 5_000;
const pollMs = 25;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, pollMs));

/** Every link of a body; `href` values with their entities resolved. */
const linksOf = (html: string): readonly string[] =>
  [...html.matchAll(/href="([^"]+)"/g)].map(([, href = '']) =>
    href.replaceAll('&amp;', '&').replaceAll('&#43;', '+'),
  );

async function nextMail(inboxUrl: string, to: string, seen: Set<string>): Promise<Mail> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const ids = await listMails(inboxUrl, `to:"${to}"`);
    const id = ids.find((candidate) => !seen.has(candidate));
    if (id !== undefined) {
      seen.add(id);
      const { HTML } = await readMail(inboxUrl, id);
      const link = new URL(linksOf(HTML)[0] ?? 'http://none/');
      const code = /(?<![\w#])(\d{8}|\d{6})(?!\w)/.exec(HTML)?.[1] ?? '';
      return { query: link.search, code, hash: link.searchParams.get('token') ?? '' };
    }
    if (Date.now() > deadline) throw new Error(`no mail to ${to}`);
    await pause();
  }
}

/** How long no mail must have come for all to be there. */
const quietPolls = 8;

async function allMails(inboxUrl: string) {
  let ids = await listMails(inboxUrl, '');
  for (let quiet = 0; quiet < quietPolls; quiet++) {
    await pause();
    const now = await listMails(inboxUrl, '');
    if (now.length !== ids.length) quiet = 0;
    ids = now;
  }
  const mails = await Promise.all(ids.map((id) => readMail(inboxUrl, id)));
  return mails.map(describeMail).sort((a, b) => (a.to < b.to ? -1 : a.to > b.to ? 1 : 0));
}

/** Bodies are compared where the replay's own templates made them; built-in ones are in each server's own words. */
function describeMail({ From, To, Subject, HTML }: InboxMail) {
  const isOurs = /^\s*<h1>[A-Z_]+<\/h1>/.test(HTML);
  return {
    from: `${From.Name} <${From.Address}>`,
    to: To[0]?.Address ?? '',
    subject: Subject,
    links: linksOf(HTML),
    body: isOurs ? HTML.replaceAll('\r\n', '\n').trim() : null,
  };
}
