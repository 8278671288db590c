import type { Values } from '../config/option.ts';
import type { realtimeOptions } from '../config/options/realtime.ts';

/** Settings of the service. */
export type RealtimeConfig = Values<typeof realtimeOptions>;

/** Largest payload in bytes, with upstream's margin over the number of thousands. */
export const payloadBytes = ({ maxPayloadKilobytes }: RealtimeConfig): number =>
  maxPayloadKilobytes * 1_000 + 500;
