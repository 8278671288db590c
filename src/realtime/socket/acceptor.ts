import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { ChannelDeps } from '../channel/channel-deps.ts';
import type { RealtimeConfig } from '../config.ts';
import type { Refusal } from '../errors.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import type { Serializer } from './frame.ts';
import { serializerFor } from './serializer.ts';
import {
  authenticateConnection,
  connectionKey,
  isWebSocketUpgrade,
  policyHeaders,
  refuseConnection,
  refuseUpgrade,
} from './upgrade.ts';
import { createWireWriter } from './wire.ts';

/** Turns upgrade requests into connections. */
export interface Acceptor {
  accept(upgrade: Upgrade): Promise<void>;
}

/** A request that asks to be upgraded; `query` is raw. */
type Upgrade = {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly query: string;
};

/** What an acceptor needs. */
export type AcceptorOptions = {
  readonly config: RealtimeConfig;
  readonly channels: ChannelDeps;
  /** The open connections; the acceptor adds to them and takes the closed ones out. */
  readonly connections: Set<Connection>;
  readonly onCount: () => void;
  readonly onSlow: () => void;
};

const maxFrameBytes = 5_000_000;

/** Creates the acceptor of one instance. */
export function createAcceptor(options: AcceptorOptions): Acceptor {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    clientTracking: false,
  });
  const writer = createWireWriter();
  return {
    async accept({ request, socket, head, query }) {
      // The HTTP server has let go of the socket: an error that nobody hears would end the process.
      socket.on('error', () => socket.destroy());
      if (!isWebSocketUpgrade(request)) return refuseUpgrade(socket, 400, { error: 'Expected a WebSocket' });
      const params = new URLSearchParams(query);
      const serializer = serializerFor(params.get('vsn'));
      if (serializer === null) return refuseUpgrade(socket, 403, { error: 'Unsupported protocol version' });
      const session = await authenticateConnection(
        connectionKey(request.headers, params),
        options.channels.sessions,
      );
      const refusal = session.ok ? limitOf(options) : session.error;
      if (!session.ok || refusal !== null) {
        return refuseConnection(socket, refusal ?? 'malformed-token', options.config.connectErrorDelayMs);
      }
      const open = connectionOptions(session.value.token, serializer, request, options);
      server.handleUpgrade(request, socket, head, (webSocket) => {
        options.connections.add(new Connection({ ...open, socket: webSocket, stream: socket, writer }));
        options.onCount();
      });
    },
  };
}

function limitOf({ config, channels, connections }: AcceptorOptions): Refusal | null {
  const { maxConcurrentUsers } = config;
  if (maxConcurrentUsers > 0 && connections.size >= maxConcurrentUsers) return 'too-many-users';
  return channels.joins.isExceeded() ? 'too-many-joins' : null;
}

function connectionOptions(
  token: string,
  serializer: Serializer,
  request: IncomingMessage,
  { config, channels, connections, onCount, onSlow }: AcceptorOptions,
): Omit<ConnectionOptions, 'socket' | 'stream' | 'writer'> {
  return {
    serializer,
    token,
    headers: policyHeaders(request.headers),
    limits: {
      maxBufferedBytes: config.maxSocketBufferBytes,
      maxChannels: config.maxChannelsPerClient,
      idleTimeoutMs: config.idleTimeoutMs,
      noChannelTimeoutMs: config.noChannelTimeoutMs,
    },
    clock: channels.clock,
    channels,
    onClose(connection) {
      connections.delete(connection);
      onCount();
    },
    onSlow,
  };
}
