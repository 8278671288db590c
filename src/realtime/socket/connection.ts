import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../../core/clock.ts';
import { Channel } from '../channel/channel.ts';
import type { ChannelDeps, ChannelSocket } from '../channel/channel-deps.ts';
import { parseJoin } from '../channel/join-config.ts';
import type { ChannelInput } from '../channel/machine.ts';
import type { BroadcastMessage } from '../channel/message.ts';
import type { Frame, Inbound, Serializer } from './frame.ts';
import type { Swept } from './sweep.ts';
import type { Wire, WireWriter } from './wire.ts';

/** Limits of a socket. */
type SocketLimits = {
  /** Unsent bytes after which the socket is cut. */
  readonly maxBufferedBytes: number;
  /** Channels; 0 for no limit. */
  readonly maxChannels: number;
  readonly idleTimeoutMs: number;
  readonly noChannelTimeoutMs: number;
};

/** What a connection starts with. */
export type ConnectionOptions = {
  readonly socket: WebSocket;
  /** What the WebSocket writes to. */
  readonly stream: Duplex;
  readonly writer: WireWriter;
  readonly serializer: Serializer;
  readonly token: string;
  /** The `x-` headers of the upgrade, as JSON text. */
  readonly headers: string;
  readonly limits: SocketLimits;
  readonly clock: Clock;
  readonly channels: ChannelDeps;
  readonly onClose: (connection: Connection) => void;
  /** Reports a socket that was cut because it did not read. */
  readonly onSlow: () => void;
};

/** Close codes of RFC 6455 that the service uses. */
export const closeCodes = { goingAway: 1001, restarting: 1012 } as const;

const openState = 1;

/** One socket and the channels on it. */
export class Connection implements ChannelSocket, Swept {
  readonly serializer: Serializer;
  readonly token: string;
  readonly headers: string;
  readonly #options: ConnectionOptions;
  readonly #channels = new Map<string, Channel>();
  readonly #wire: Wire;
  #lastFrameAt: number;
  #withoutChannelsSince: number;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.serializer = options.serializer;
    this.token = options.token;
    this.headers = options.headers;
    this.#lastFrameAt = options.clock.now();
    this.#withoutChannelsSince = this.#lastFrameAt;
    const { socket } = options;
    this.#wire = options.writer.open(options.stream, () => socket.readyState === openState);
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary));
    socket.on('ping', () => this.#heard());
    socket.on('pong', () => this.#heard());
    socket.on('close', () => this.#closed());
    // A protocol violation or an oversized frame; the library closes the socket with the right code.
    socket.on('error', () => {});
  }

  send(frame: Frame): number {
    const { socket, limits } = this.#options;
    if (socket.readyState !== openState) return 0;
    const unsent = this.#wire.unsentBytes;
    if (unsent > limits.maxBufferedBytes) {
      this.#options.onSlow();
      socket.terminate();
      return 0;
    }
    this.#wire.write(frame);
    return unsent;
  }

  bufferedBytes(): number {
    return this.#wire.unsentBytes;
  }

  hasTooManyChannels(): boolean {
    const { maxChannels } = this.#options.limits;
    return maxChannels > 0 && this.#channels.size > maxChannels;
  }

  channelClosed(channel: { readonly topic: string }): void {
    if (this.#channels.get(channel.topic) !== channel) return;
    this.#channels.delete(channel.topic);
    if (this.#channels.size === 0) this.#withoutChannelsSince = this.#options.clock.now();
  }

  disconnect(): void {
    this.close(closeCodes.goingAway);
  }

  /** Ends the socket in an orderly way; clients connect again. */
  close(code: number): void {
    this.#wire.flush();
    this.#options.socket.close(code);
  }

  /** Cuts the socket when its client has been silent, or joined to nothing, for too long. */
  checkAlive(): void {
    const { clock, limits, socket } = this.#options;
    const now = clock.now();
    const isSilent = now - this.#lastFrameAt > limits.idleTimeoutMs;
    const isUnused =
      this.#channels.size === 0 && now - this.#withoutChannelsSince > limits.noChannelTimeoutMs;
    if (isSilent || isUnused) socket.terminate();
  }

  /** Starts the patience with its client anew: the clock has jumped. */
  forgive(): void {
    this.#heard();
    this.#withoutChannelsSince = this.#lastFrameAt;
  }

  #heard(): void {
    this.#lastFrameAt = this.#options.clock.now();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    this.#heard();
    const message = this.serializer.decode(data, isBinary);
    if (message === null) return;
    if (message.topic === 'phoenix') {
      if (message.event === 'heartbeat') this.#reply(message, 'ok', '{}');
      return;
    }
    const channel = this.#channels.get(message.topic);
    if (message.event === 'phx_join' && message.topic.startsWith('realtime:')) this.#join(message, channel);
    else if (channel === undefined) this.#reply(message, 'error', '{"reason":"unmatched topic"}');
    else dispatch(channel, message);
  }

  #join(message: Inbound, former: Channel | undefined): void {
    former?.feed({ kind: 'replaced' });
    const payload = message.payload.kind === 'json' ? message.payload.value : {};
    const channel = new Channel(message, parseJoin(payload), this, this.#options.channels);
    this.#channels.set(message.topic, channel);
    void channel.join(message.ref);
  }

  #reply(message: Inbound, status: 'ok' | 'error', response: string): void {
    const { joinRef, ref, topic } = message;
    this.send(this.serializer.reply({ joinRef, ref, topic, status, response }));
  }

  #closed(): void {
    for (const channel of this.#channels.values()) channel.abandon();
    this.#channels.clear();
    this.#options.onClose(this);
  }
}

/** Hands a message to the channel that it is for; events that no channel knows are ignored. */
function dispatch(channel: Channel, message: Inbound): void {
  const input = toInput(message);
  if (input === null) channel.ignored();
  else channel.feed(input);
}

function toInput({ event, payload, ref }: Inbound): ChannelInput | null {
  switch (event) {
    case 'phx_leave':
      return { kind: 'leave', ref };
    case 'broadcast':
      return { kind: 'broadcast', ref, message: toBroadcast(payload) };
    case 'presence':
      return { kind: 'presence', ref, payload: payload.kind === 'json' ? payload.value : null };
    case 'access_token':
      return { kind: 'access-token', token: tokenOf(payload) };
    default:
      return null;
  }
}

function toBroadcast(payload: Inbound['payload']): BroadcastMessage {
  if (payload.kind === 'json') return { kind: 'object', payload: JSON.stringify(payload.value ?? null) };
  const { event, encoding, data } = payload;
  return { kind: 'user', event, encoding, data, id: null };
}

function tokenOf(payload: Inbound['payload']): unknown {
  if (payload.kind !== 'json' || typeof payload.value !== 'object' || payload.value === null) return null;
  return (payload.value as Record<string, unknown>).access_token;
}
