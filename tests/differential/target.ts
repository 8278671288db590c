import { createMask, type Mask } from './mask.ts';

/** A server to replay on: its auth service, a service key, and the inbox that catches its mail. */
export type TargetOptions = {
  readonly url: string;
  readonly serviceKey: string;
  /** Mailpit API. */
  readonly inboxUrl: string;
};

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

/** A request of a scenario. */
export type Ask = {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** One target during a replay; every request is recorded. */
export interface Target {
  readonly serviceKey: string;
  ask(step: string, method: string, path: string, ask?: Ask): Promise<Answer>;
  /** Waits for the next mail to an address and yields its link's query and its code. */
  mail(
    step: string,
    to: string,
  ): Promise<{ readonly query: string; readonly code: string; readonly hash: string }>;
  readonly recorded: readonly Recorded[];
}

const comparedHeaders = ['location', 'link', 'x-total-count', 'x-sb-error-code', 'x-supabase-api-version'];

/** Opens a target; its inbox is emptied. */
export async function openTarget(options: TargetOptions): Promise<Target> {
  const recorded: Recorded[] = [];
  const mask = createMask(options.url);
  await fetch(`${options.inboxUrl}/api/v1/messages`, { method: 'DELETE', body: '{}' });
  const seen = new Set<string>();
  return {
    serviceKey: options.serviceKey,
    recorded,
    async ask(step, method, path, ask = {}) {
      const reply = await fetch(options.url + path, {
        method,
        redirect: 'manual',
        headers: {
          ...(ask.token === undefined ? {} : { authorization: `Bearer ${ask.token}` }),
          ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...ask.headers,
        },
        ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
      });
      const text = await reply.text();
      const json = parse(text);
      recorded.push({ step, result: record(mask, reply, text, json) });
      return { status: reply.status, headers: reply.headers, json };
    },
    async mail(step, to) {
      const mail = await nextMail(options.inboxUrl, to, seen);
      recorded.push({
        step,
        result: { subject: mail.subject.replace(/\d{6}/, '<code>'), query: mask.text(mail.query) },
      });
      return mail;
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not every answer is JSON; the text is recorded then.
    return null;
  }
}

function record(mask: Mask, reply: Response, text: string, json: unknown): unknown {
  const headers = comparedHeaders
    .map((name) => [name, reply.headers.get(name)] as const)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, mask.text(value ?? '')]);
  const isRedirect = reply.status >= 300 && reply.status < 400;
  return {
    status: reply.status,
    headers: Object.fromEntries(headers),
    // What a redirect says to people who look at it is up to each server.
    body: isRedirect ? null : json === null ? mask.text(text.trim()) : mask.value(json),
    claims: mask.value(claimsOf(json)),
  };
}

/** The claims of an access token, which are compared in full. */
function claimsOf(json: unknown): unknown {
  const token = (json as { access_token?: unknown } | null)?.access_token;
  if (typeof token !== 'string') return null;
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

const patienceMs = 5_000;

async function nextMail(inboxUrl: string, to: string, seen: Set<string>) {
  const query = encodeURIComponent(`to:"${to}"`);
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const list = await fetch(`${inboxUrl}/api/v1/search?limit=100&query=${query}`);
    const { messages } = (await list.json()) as { messages: { ID: string }[] };
    const id = messages
      .map(({ ID }) => ID)
      .reverse()
      .find((candidate) => !seen.has(candidate));
    if (id !== undefined) {
      seen.add(id);
      const reply = await fetch(`${inboxUrl}/api/v1/message/${id}`);
      const { Subject, HTML } = (await reply.json()) as { Subject: string; HTML: string };
      const link = new URL((/href="([^"]+)"/.exec(HTML)?.[1] ?? 'http://none/').replaceAll('&amp;', '&'));
      const code = /(?<![\w#])(\d{6})(?!\w)/.exec(HTML)?.[1] ?? '';
      return { subject: Subject, query: link.search, code, hash: link.searchParams.get('token') ?? '' };
    }
    if (Date.now() > deadline) throw new Error(`no mail to ${to}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
