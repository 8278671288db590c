import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { testToken } from '../../support/realtime.ts';
import { useRealtimeWorld } from '../../support/realtime-world.ts';
import { until } from '../../support/until.ts';

/*
 * supabase-flutter and supabase-swift, which cannot run here: what they write, and what their decoders ask of the
 * answers, as their sources have it. A message that a decoder does not take is dropped by the client without a word.
 */

const world = useRealtimeWorld(`
  create table public.todos (id int primary key, owner text, title text);
  alter table public.todos enable row level security;
  create policy own on public.todos for select to authenticated using (owner = auth.jwt() ->> 'name');
  grant select on public.todos to authenticated;
  alter publication supabase_realtime add table public.todos;
  create policy hear on realtime.messages for select to authenticated using (true);`);

type Json = Record<string, unknown>;
type Message = {
  readonly joinRef: string | null;
  readonly ref: string | null;
  readonly topic: string;
  readonly event: string;
  readonly payload: Json;
};

/** How a kind of client writes and reads. */
type Kind = {
  readonly name: string;
  /** Of the upgrade, beside the key. */
  readonly query: string;
  readonly headers: Record<string, string>;
  write(message: Message): string;
  /** Throws where the client's decoder does. */
  read(frame: string | Buffer): Message;
  /** Members of the join beside those of its config. */
  readonly joinExtras: Json;
  broadcast(event: string, payload: Json): Json;
  /** What a receiver of the same kind makes of that broadcast. */
  heard(event: string, payload: Json): Json;
  presence(event: string, payload?: Json): Json;
};

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value);
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function need(holds: boolean, what: string): asserts holds {
  if (!holds) throw new TypeError(`the client's decoder wants ${what}`);
}

function readMessage(
  joinRef: unknown,
  ref: unknown,
  topic: unknown,
  event: unknown,
  payload: unknown,
): Message {
  need(isTextOrNull(joinRef) && isTextOrNull(ref), 'references of text');
  need(isText(topic) && isText(event) && isObject(payload), 'topic, event and an object');
  return { joinRef, ref, topic, event, payload };
}

function readArray(frame: string): Message {
  const parts: unknown = JSON.parse(frame);
  need(Array.isArray(parts) && parts.length >= 5, 'five parts');
  const [joinRef, ref, topic, event, payload] = parts as unknown[];
  return readMessage(joinRef, ref, topic, event, payload);
}

function readObject(frame: string): Message {
  const { join_ref: joinRef = null, ref, topic, event, payload } = JSON.parse(frame) as Json;
  return readMessage(joinRef, ref, topic, event, payload);
}

/** A user broadcast from the server: kind 4, the lengths of topic, event and metadata, how the rest is encoded. */
function readBinary(frame: Buffer): Message {
  const [kind, topicLength = 0, eventLength = 0, metaLength = 0, encoding] = frame;
  need(kind === 4 && (encoding === 0 || encoding === 1), 'kind 4 in an encoding that it knows');
  const [topicEnd, eventEnd] = [5 + topicLength, 5 + topicLength + eventLength];
  const data = frame.subarray(eventEnd + metaLength);
  const payload = encoding === 1 ? (JSON.parse(data.toString()) as unknown) : [...data];
  const event = frame.toString('utf8', topicEnd, eventEnd);
  const topic = frame.toString('utf8', 5, topicEnd);
  return readMessage(null, null, topic, 'broadcast', { type: 'broadcast', event, payload });
}

const swift: Kind = {
  name: 'supabase-swift, protocol 2.0.0',
  query: 'vsn=2.0.0&log_level=warn',
  headers: { 'X-Client-Info': 'supabase-swift/2.40.0', 'X-Supabase-Client-Platform': 'iOS' },
  write: ({ joinRef, ref, topic, event, payload }) => JSON.stringify([joinRef, ref, topic, event, payload]),
  read: (frame) => (isText(frame) ? readArray(frame) : readBinary(frame)),
  joinExtras: { version: 'supabase-swift/2.40.0' },
  broadcast: (event, payload) => ({ type: 'broadcast', event, payload }),
  heard: (event, payload) => ({ type: 'broadcast', event, payload }),
  presence: (event, payload) => ({
    type: 'presence',
    event,
    ...(payload === undefined ? {} : { payload }),
  }),
};

/** What it writes into an object in the first version; references that it does not have are left out. */
const writeObject = ({ joinRef, ref, topic, event, payload }: Message): string =>
  JSON.stringify({
    topic,
    event,
    payload,
    ...(ref === null ? {} : { ref }),
    ...(joinRef === null ? {} : { join_ref: joinRef }),
  });

/** Broadcasts are flat: type and event stand among the members of the payload. */
const flutter: Omit<Kind, 'name' | 'query' | 'write' | 'read'> = {
  headers: { 'X-Client-Info': 'supabase-flutter/2.10.0' },
  joinExtras: { version: 'supabase-flutter/2.10.0' },
  broadcast: (event, payload) => ({ ...payload, type: 'broadcast', event }),
  heard: (event, payload) => ({ ...payload, type: 'broadcast', event }),
  presence: (event, payload) => ({
    event,
    ...(payload === undefined ? {} : { payload }),
    type: 'presence',
  }),
};

const kinds: readonly Kind[] = [
  swift,
  {
    ...swift,
    name: 'supabase-swift, protocol 1.0.0',
    query: 'vsn=1.0.0',
    write: ({ joinRef, ...message }) => JSON.stringify({ join_ref: joinRef, ...message }),
    read: (frame) => readObject(frame.toString()),
  },
  {
    ...flutter,
    name: 'supabase-flutter, protocol 2.0.0',
    query: 'vsn=2.0.0',
    write: swift.write,
    read: swift.read,
  },
  {
    ...flutter,
    name: 'supabase-flutter, protocol 1.0.0',
    query: 'log_level=info&vsn=1.0.0',
    write: writeObject,
    read: (frame) => readObject(frame.toString()),
  },
];

class Client {
  readonly received: Message[] = [];
  readonly #kind: Kind;
  readonly #socket: WebSocket;
  #ref = 0;
  #joinRef: string | null = null;

  private constructor(kind: Kind, socket: WebSocket) {
    this.#kind = kind;
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary: boolean) =>
      this.received.push(kind.read(isBinary ? data : data.toString())),
    );
  }

  static async open(kind: Kind): Promise<Client> {
    const url = `${world.realtime.url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${world.realtime.anonToken}&${kind.query}`;
    const socket = new WebSocket(url, { headers: kind.headers });
    onTestFinished(() => socket.terminate());
    const client = new Client(kind, socket);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return client;
  }

  sendRaw(frame: Buffer): void {
    this.#socket.send(frame);
  }

  send(event: string, payload: Json, topic = 'realtime:todos'): string {
    const ref = String(++this.#ref);
    if (event === 'phx_join') this.#joinRef = ref;
    const joinRef = topic === 'phoenix' ? null : this.#joinRef;
    this.#socket.send(this.#kind.write({ joinRef, ref, topic, event, payload }));
    return ref;
  }

  async request(event: string, payload: Json, topic?: string): Promise<Message> {
    const ref = this.send(event, payload, topic);
    return this.next((message) => message.event === 'phx_reply' && message.ref === ref);
  }

  async next(fits: (message: Message) => boolean): Promise<Message> {
    await until(() => this.received.some(fits));
    return this.received.find(fits) as Message;
  }

  join(config: Json, token: string): Promise<Message> {
    return this.request('phx_join', { config, access_token: token, ...this.#kind.joinExtras });
  }

  of(event: string): Json[] {
    return this.received.filter((message) => message.event === event).map(({ payload }) => payload);
  }
}

const plain = {
  broadcast: { ack: false, self: false },
  presence: { key: '', enabled: false },
  postgres_changes: [] as Json[],
  private: false,
};

describe.each(kinds)('$name', (kind) => {
  const user = (name: string): Promise<string> => testToken({ role: 'authenticated', sub: name, name });

  it('has its heartbeat answered', async () => {
    const client = await Client.open(kind);
    const reply = await client.request('heartbeat', {}, 'phoenix');
    expect(reply).toMatchObject({ topic: 'phoenix', payload: { status: 'ok', response: {} } });
  });

  it('finds its items in the reply to the join, and hears what its user may see', async () => {
    const client = await Client.open(kind);
    const items: Json[] = [
      { event: '*', schema: 'public', table: 'todos' },
      { event: 'INSERT', schema: 'public', table: 'todos', filter: 'title=in.("a, b",c)' },
      { event: 'UPDATE', schema: 'public', table: 'todos', select: ['title'] },
    ];
    const reply = await client.join({ ...plain, postgres_changes: items }, await user('ada'));
    const { postgres_changes: told } = reply.payload.response as { postgres_changes: Json[] };
    expect(told).toEqual(items.map((item) => ({ ...item, id: expect.any(Number) })));
    const ids = told.map(({ id }) => id as number);
    const status = await client.next(({ event }) => event === 'system');
    expect(status.payload).toEqual({
      extension: 'postgres_changes',
      status: 'ok',
      message: 'Subscribed to PostgreSQL',
      channel: 'todos',
    });
    await world.db.exec(`truncate public.todos;
      insert into public.todos values (1, 'ada', 'a, b'), (2, 'bob', 'c');
      update public.todos set title = 'd' where id = 1`);
    await until(() => client.of('postgres_changes').some(({ data }) => (data as Json).type === 'UPDATE'));
    await world.db.exec('delete from public.todos where id = 1');
    await until(() => client.of('postgres_changes').some(({ data }) => (data as Json).type === 'DELETE'));
    const changes = client.of('postgres_changes');
    for (const { data } of changes) {
      const { commit_timestamp: at, columns } = data as { commit_timestamp: string; columns: unknown };
      // Swift's decoder takes dates of exactly this form.
      expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(columns).toContainEqual({ name: 'title', type: 'text' });
    }
    const seen = changes.map(({ ids: matching, data }) => {
      const { type, record, old_record: old } = data as Json;
      return [type, (matching as number[]).map((id) => ids.indexOf(id)).sort(), record ?? null, old ?? null];
    });
    const whole = { id: 1, owner: 'ada' };
    expect(seen).toEqual([
      ['INSERT', [0, 1], { ...whole, title: 'a, b' }, null],
      ...[
        ['UPDATE', [0], { ...whole, title: 'd' }, { id: 1 }],
        ['UPDATE', [2], { id: 1, title: 'd' }, { id: 1 }],
      ],
      ['DELETE', [0], null, { id: 1 }],
    ]);
  });

  it('hears broadcasts of its kind, with an acknowledgement where it asked for one', async () => {
    const [sender, hearer] = [await Client.open(kind), await Client.open(kind)];
    await sender.join({ ...plain, broadcast: { ack: true, self: true } }, await user('ada'));
    await hearer.join({ ...plain }, await user('bob'));
    const ack = await sender.request('broadcast', kind.broadcast('moved', { x: 1, deep: { é: [null] } }));
    expect(ack.payload).toEqual({ status: 'ok', response: {} });
    const expected = kind.heard('moved', { x: 1, deep: { é: [null] } });
    for (const client of [sender, hearer]) {
      expect((await client.next(({ event }) => event === 'broadcast')).payload).toEqual(expected);
    }
  });

  it('sees who comes and goes', async () => {
    const [watcher, other] = [await Client.open(kind), await Client.open(kind)];
    const config = (key: string): Json => ({ ...plain, presence: { key, enabled: true } });
    await watcher.join(config('one'), await user('ada'));
    expect((await watcher.next(({ event }) => event === 'presence_state')).payload).toEqual({});
    await other.join(config('two'), await user('bob'));
    const tracked = await other.request('presence', kind.presence('track', { at: 'home' }));
    expect(tracked.payload).toEqual({ status: 'ok', response: {} });
    const came = { two: { metas: [{ at: 'home', phx_ref: expect.any(String) }] } };
    await until(() => watcher.of('presence_diff').length === 1);
    await other.request('presence', kind.presence('untrack'));
    await until(() => watcher.of('presence_diff').length === 2);
    expect(watcher.of('presence_diff')).toEqual([
      { joins: came, leaves: {} },
      { joins: {}, leaves: came },
    ]);
  });

  it('goes on with a new token, and leaves with a close under the reference of its join', async () => {
    const client = await Client.open(kind);
    const items = [{ event: '*', schema: 'public', table: 'todos' }];
    await client.join({ ...plain, private: true, postgres_changes: items }, await user('ada'));
    await until(() => client.of('system').length === 1);
    client.send('access_token', { access_token: await user('bob') });
    await until(() => client.of('system').length === 2);
    const left = await client.request('phx_leave', {});
    expect(left.payload).toEqual({ status: 'ok', response: {} });
    const closed = await client.next(({ event }) => event === 'phx_close');
    expect(closed).toMatchObject({ ref: '1', payload: {} });
  });

  it('is told why it may not join, in an object', async () => {
    const client = await Client.open(kind);
    const refused = await client.join({ ...plain, private: true }, world.realtime.anonToken);
    expect(refused.payload).toEqual({
      status: 'error',
      response: {
        reason: 'Unauthorized: You do not have permissions to read from this Channel topic: todos',
      },
    });
  });
});

it('bytes go from one of these clients to another', async () => {
  const [sender, hearer] = [await Client.open(swift), await Client.open(swift)];
  const token = await testToken({ role: 'authenticated', sub: 'ada' });
  for (const client of [sender, hearer]) await client.join({ ...plain }, token);
  const fields = ['1', '2', 'realtime:todos', 'clip', ''];
  sender.sendRaw(
    Buffer.concat([
      Buffer.from([3, ...fields.map((field) => field.length), 0]),
      Buffer.from(fields.join('')),
      Buffer.from([0, 255]),
    ]),
  );
  const heard = await hearer.next(({ event }) => event === 'broadcast');
  expect(heard.payload).toEqual({ type: 'broadcast', event: 'clip', payload: [0, 255] });
});
