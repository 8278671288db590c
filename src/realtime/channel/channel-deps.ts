import type { Clock } from '../../core/clock.ts';
import type { ChangeSubscriptions } from '../changes/subscriptions.ts';
import type { RateCounter } from '../limits.ts';
import type { Frame, Serializer } from '../socket/frame.ts';
import type { Hub } from './hub.ts';
import type { JoinDeps } from './join.ts';
import type { ChannelSetup } from './machine.ts';

/** What every channel of the service shares. */
export type ChannelDeps = JoinDeps & {
  readonly hub: Hub;
  readonly changes: ChangeSubscriptions;
  readonly events: RateCounter;
  readonly presenceEvents: RateCounter;
  readonly clock: Clock;
  readonly joinErrorDelayMs: number;
  readonly limits: Pick<ChannelSetup, 'presenceMaxCalls' | 'presenceWindowMs' | 'maxPayloadBytes'>;
  /** A reference that no other member, update or instance has. */
  readonly nextRef: () => string;
  readonly uuid: () => string;
  /** Resolves when changes of the database reach this instance; rejects with the signal. */
  readonly replicationReady: (signal: AbortSignal) => Promise<void>;
  readonly reportFault: (error: unknown) => void;
};

/** The socket that a channel lives on. */
export interface ChannelSocket {
  readonly serializer: Serializer;
  readonly token: string;
  readonly headers: string;
  /** Yields the bytes that the client had not taken before. */
  send(frame: Frame): number;
  bufferedBytes(): number;
  /** Called once, when the channel is no more. */
  channelClosed(channel: { readonly topic: string }): void;
  /** Whether this channel would be one too many. */
  hasTooManyChannels(): boolean;
  /** Ends the socket after a join that floods. */
  disconnect(): void;
}
