import { WebSocket } from 'ws';

/** A message from the server, whatever the version. */
export type Received = {
  readonly joinRef: string | null;
  readonly ref: string | null;
  readonly topic: string;
  readonly event: string;
  readonly payload: Record<string, unknown>;
  /** The bytes of a binary frame. */
  readonly bytes?: Buffer;
};

const waitMs = 8_000;

/** A bare client of the wire protocol, which keeps everything that it receives. */
export class PhoenixClient {
  readonly received: Received[] = [];
  readonly socket: WebSocket;
  readonly version: '1.0.0' | '2.0.0';
  closeCode: number | null = null;
  #ref = 0;
  readonly #listeners = new Set<() => void>();

  constructor(
    url: string,
    key: string,
    version: '1.0.0' | '2.0.0' = '2.0.0',
    headers: Record<string, string> = {},
  ) {
    const address = `${url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${encodeURIComponent(key)}&vsn=${version}`;
    this.version = version;
    this.socket = new WebSocket(address, { headers });
    this.socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.received.push(isBinary ? binaryMessage(data) : textMessage(data, version));
      this.#notify();
    });
    this.socket.on('close', (code) => {
      this.closeCode = code;
      this.#notify();
    });
    this.socket.on('error', () => {});
  }

  static async connect(
    url: string,
    key: string,
    version: '1.0.0' | '2.0.0' = '2.0.0',
  ): Promise<PhoenixClient> {
    const client = new PhoenixClient(url, key, version);
    await new Promise<void>((resolve, reject) => {
      client.socket.once('open', resolve);
      client.socket.once('error', reject);
    });
    return client;
  }

  /** Sends a message and yields its ref. */
  send(topic: string, event: string, payload: unknown, joinRef: string | null = null): string {
    const ref = String(++this.#ref);
    const frame =
      this.version === '2.0.0'
        ? [event === 'phx_join' ? ref : joinRef, ref, topic, event, payload]
        : { topic, event, payload, ref, join_ref: event === 'phx_join' ? ref : joinRef };
    this.socket.send(JSON.stringify(frame));
    return ref;
  }

  /** Sends a message and waits for its reply. */
  async request(topic: string, event: string, payload: unknown): Promise<Received> {
    const ref = this.send(topic, event, payload);
    return this.next((message) => message.event === 'phx_reply' && message.ref === ref);
  }

  /** Joins a topic and waits for the reply. */
  join(subTopic: string, config: unknown = {}, token?: string): Promise<Received> {
    const payload = { config, ...(token === undefined ? {} : { access_token: token }) };
    return this.request(`realtime:${subTopic}`, 'phx_join', payload);
  }

  /** The first message that fits, of those received already or still to come. */
  async next(fits: (message: Received) => boolean): Promise<Received> {
    let found: Received | undefined;
    await this.until(() => {
      found = this.received.find(fits);
      return found !== undefined;
    });
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  /** Resolves when the condition holds, which is looked at after every message. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(check);
      };
      const check = (): void => {
        if (!holds()) return;
        finish();
        resolve();
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`nothing fitted among ${JSON.stringify(this.received, null, 1)}`));
      }, waitMs);
      this.#listeners.add(check);
      check();
    });
  }

  /** All messages of an event. */
  of(event: string): Received[] {
    return this.received.filter((message) => message.event === event);
  }

  /** A round trip: what the server sent before it has arrived when this resolves. */
  async settle(): Promise<void> {
    await this.request('phoenix', 'heartbeat', {});
  }

  close(): void {
    this.socket.terminate();
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function textMessage(data: Buffer, version: '1.0.0' | '2.0.0'): Received {
  const parsed = JSON.parse(data.toString('utf8'));
  if (version === '1.0.0') return { joinRef: null, ...parsed };
  const [joinRef, ref, topic, event, payload] = parsed;
  return { joinRef, ref, topic, event, payload };
}

/** A user broadcast: kind 4, three lengths, the encoding, the fields. */
function binaryMessage(data: Buffer): Received {
  const [, topicLength = 0, eventLength = 0, metaLength = 0, encoding] = data;
  const texts: string[] = [];
  let at = 5;
  for (const length of [topicLength, eventLength, metaLength]) {
    texts.push(data.toString('utf8', at, at + length));
    at += length;
  }
  const [topic = '', event = '', meta = ''] = texts;
  const bytes = data.subarray(at);
  return {
    joinRef: null,
    ref: null,
    topic,
    event: 'broadcast',
    payload: {
      type: 'broadcast',
      event,
      payload: encoding === 1 ? jsonOrNull(bytes.toString('utf8')) : null,
      ...(meta === '' ? {} : { meta: JSON.parse(meta) }),
    },
    bytes,
  };
}

/** What a sender declares as JSON need not be JSON. */
function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
