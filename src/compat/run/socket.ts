import WebSocket from 'ws';

/** A frame of either protocol version, as an object. */
export type Message = Readonly<Record<string, unknown>>;

/** A realtime connection that keeps what it receives until a case asks for it. */
export type Socket = {
  send(message: Message): void;
  /** The first message for which `wanted` holds, of those not taken yet; undefined when time is over or the socket closed. */
  take(wanted: (message: Message) => boolean, ms: number): Promise<Message | undefined>;
  /** What was received and not taken. */
  pending(): readonly Message[];
  close(): void;
};

/** The server answered the upgrade with another status. */
export class SocketRefused extends Error {
  override readonly name = 'SocketRefused';
  readonly status: number;

  constructor(status: number) {
    super(`the server refused the socket with ${status}`);
    this.status = status;
  }
}

/** Opens a socket; rejects with `SocketRefused` when the server refuses. */
export async function openSocket(url: string, vsn: string): Promise<Socket> {
  const socket = new WebSocket(url, { handshakeTimeout: 10_000 });
  const inbox: Message[] = [];
  const waiting = new Set<() => void>();
  const isClosed = (): boolean => socket.readyState === WebSocket.CLOSED;
  const wake = (): void => {
    for (const check of waiting) check();
  };
  socket.on('message', (data) => {
    const message = decode(String(data), vsn);
    if (message === undefined) return;
    inbox.push(message);
    wake();
  });
  socket.on('close', (code) => {
    inbox.push({ closed: code });
    wake();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
    socket.once('unexpected-response', (_, answer) => reject(new SocketRefused(answer.statusCode ?? 0)));
  });
  // From here on an error is followed by `close`, which the case sees.
  socket.on('error', () => {});
  return {
    send: (message) => socket.send(encode(message, vsn)),
    pending: () => inbox,
    close: () => socket.terminate(),
    take: (wanted, ms) => takeFrom(inbox, waiting, wanted, isClosed, ms),
  };
}

function takeFrom(
  inbox: Message[],
  waiting: Set<() => void>,
  wanted: (message: Message) => boolean,
  isClosed: () => boolean,
  ms: number,
): Promise<Message | undefined> {
  return new Promise((resolve) => {
    const finish = (message: Message | undefined): void => {
      clearTimeout(timer);
      waiting.delete(check);
      resolve(message);
    };
    const timer = setTimeout(() => finish(undefined), ms);
    const check = (): void => {
      const index = inbox.findIndex(wanted);
      if (index >= 0) finish(inbox.splice(index, 1)[0]);
      else if (isClosed()) finish(undefined);
    };
    waiting.add(check);
    check();
  });
}

/** Version 1 sends objects, version 2 arrays of five. */
function encode(message: Message, vsn: string): string {
  const { join_ref: joinRef = null, ref = null, topic, event, payload } = message;
  return JSON.stringify(vsn.startsWith('2') ? [joinRef, ref, topic, event, payload] : message);
}

function decode(text: string, vsn: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (vsn.startsWith('2') && Array.isArray(value)) {
      const [joinRef, ref, topic, event, payload] = value as unknown[];
      return { join_ref: joinRef, ref, topic, event, payload };
    }
    return value as Message;
  } catch {
    // A binary frame or a broken one: no case can name it.
    return undefined;
  }
}
