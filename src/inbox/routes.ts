import findMyWay, { type HTTPMethod } from 'find-my-way';
import { inbucketHeader, inbucketMessage, mailsOf } from './inbucket.ts';
import { headersJson, infoJson, listJson, messageJson, textOf } from './mailpit.ts';
import { type CaughtMail, contentOf, type MessageStore } from './message-store.ts';
import { search } from './search.ts';

/** A request to the inbox. */
export type InboxRequest = {
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: URLSearchParams;
  readonly body: string;
};

/** An answer of the inbox. */
export type InboxReply = { readonly status: number; readonly type: string; readonly body: string | Buffer };

type Endpoint = (store: MessageStore, request: InboxRequest) => InboxReply;

const json = (value: unknown): InboxReply => ({
  status: 200,
  type: 'application/json',
  body: JSON.stringify(value),
});
const text = (body: string, type = 'text/plain; charset=utf-8'): InboxReply => ({ status: 200, type, body });

/** What an unknown mail or path is answered with. */
export const notFound: InboxReply = { status: 404, type: 'text/plain; charset=utf-8', body: 'not found' };

const ofMail =
  (use: (mail: CaughtMail, request: InboxRequest) => InboxReply): Endpoint =>
  (store, request) => {
    const mail = store.find(request.params.id ?? '');
    return mail === null ? notFound : use(mail, request);
  };

const numberOf = (value: string | null, fallback: number): number =>
  value !== null && /^\d+$/.test(value) ? Number(value) : fallback;

const listPage = (
  store: MessageStore,
  { query }: InboxRequest,
  matching: readonly CaughtMail[],
): InboxReply =>
  json(listJson(store.all(), matching, numberOf(query.get('start'), 0), numberOf(query.get('limit'), 50)));

/** The ids that a body names; none means all. */
function idsOf(
  store: MessageStore,
  body: string,
): { readonly ids: readonly string[]; readonly isRead: boolean } {
  let given: { IDs?: unknown; ids?: unknown; Read?: unknown } = {};
  try {
    given = JSON.parse(body === '' ? '{}' : body) as typeof given;
  } catch {
    // A body that is not JSON names nothing.
  }
  const list = given.IDs ?? given.ids;
  const ids = Array.isArray(list) ? list.map(String) : [];
  return { ids: ids.length > 0 ? ids : store.all().map(({ id }) => id), isRead: given.Read === true };
}

const part: Endpoint = ofMail((mail, { params }) => {
  const attachment = mail.email.attachments[Number(params.part) - 1];
  return attachment === undefined
    ? notFound
    : { status: 200, type: attachment.mimeType, body: contentOf(attachment) };
});

/** HTML of a mail is shown apart from the inbox: without scripts, and without the inbox's own origin. */
const html = ofMail((mail) =>
  text(mail.email.html ?? `<pre>${escapeHtml(textOf(mail))}</pre>`, 'text/html; charset=utf-8'),
);

/** Text as HTML shows it. */
const escapeHtml = (plain: string): string => plain.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

/** The table of contents: Mailpit's API, then Inbucket's. */
const routes: readonly (readonly [method: HTTPMethod, path: string, endpoint: Endpoint])[] = [
  ['GET', '/api/v1/messages', (store, request) => listPage(store, request, store.all())],
  [
    'GET',
    '/api/v1/search',
    (store, request) => listPage(store, request, search(store.all(), request.query.get('query') ?? '')),
  ],
  ['GET', '/api/v1/message/:id', (store, request) => readMail(store, request)],
  ['GET', '/api/v1/message/:id/headers', ofMail((mail) => json(headersJson(mail)))],
  ['GET', '/api/v1/message/:id/raw', ofMail((mail) => text(mail.raw.toString()))],
  ['GET', '/api/v1/message/:id/part/:part', part],
  ['PUT', '/api/v1/messages', (store, { body }) => markRead(store, body)],
  ['DELETE', '/api/v1/messages', (store, { body }) => removeListed(store, body)],
  ['DELETE', '/api/v1/search', (store, { query }) => removeFound(store, query.get('query') ?? '')],
  ['GET', '/api/v1/info', (store) => json(infoJson(store.all()))],
  ['GET', '/livez', () => text('ok')],
  ['GET', '/readyz', () => text('ok')],
  ['GET', '/view/:id.html', html],
  ['GET', '/view/:id.txt', ofMail((mail) => text(textOf(mail)))],
  ['GET', '/api/v1/mailbox/:name', (store, { params }) => listMailbox(store, params.name ?? '')],
  ['DELETE', '/api/v1/mailbox/:name', (store, { params }) => emptyMailbox(store, params.name ?? '')],
  [
    'GET',
    '/api/v1/mailbox/:name/:id',
    ofMail((mail, { params }) => json(inbucketMessage(mail, params.name ?? ''))),
  ],
  ['DELETE', '/api/v1/mailbox/:name/:id', (store, { params }) => removeOne(store, params.id ?? '')],
];

function readMail(store: MessageStore, { params }: InboxRequest): InboxReply {
  const mail = store.find(params.id ?? '');
  if (mail === null) return notFound;
  store.setRead([mail.id], true);
  return json(messageJson(mail));
}

function markRead(store: MessageStore, body: string): InboxReply {
  const { ids, isRead } = idsOf(store, body);
  store.setRead(ids, isRead);
  return text('ok');
}

function removeListed(store: MessageStore, body: string): InboxReply {
  store.remove(idsOf(store, body).ids);
  return text('ok');
}

function removeFound(store: MessageStore, query: string): InboxReply {
  store.remove(search(store.all(), query).map(({ id }) => id));
  return text('ok');
}

const listMailbox = (store: MessageStore, name: string): InboxReply =>
  json(mailsOf(store.all(), name).map((mail) => inbucketHeader(mail, name)));

function emptyMailbox(store: MessageStore, name: string): InboxReply {
  store.remove(mailsOf(store.all(), name).map(({ id }) => id));
  return json('OK');
}

function removeOne(store: MessageStore, id: string): InboxReply {
  if (store.find(id) === null) return notFound;
  store.remove([id]);
  return json('OK');
}

/** Answers a request of the API; null for paths that it does not have. */
export type InboxApi = (
  method: string,
  path: string,
  request: Omit<InboxRequest, 'params'>,
) => InboxReply | null;

/** Builds the API over a store. */
export function createInboxApi(store: MessageStore): InboxApi {
  const router = findMyWay();
  for (const [method, path, endpoint] of routes) router.on(method, path, () => {}, endpoint);
  return (method, path, request) => {
    const found = router.find(method as HTTPMethod, path);
    if (found === null) return null;
    return (found.store as Endpoint)(store, { ...request, params: found.params });
  };
}
