import type { Encoding } from '../socket/frame.ts';

/** Public and private channels of one name do not hear each other. */
export type Space = 'public' | 'private';

/** A broadcast on its way to the members of a topic. */
export type BroadcastMessage =
  /** The client's or the HTTP batch's object, as JSON text. */
  | { readonly kind: 'object'; readonly payload: string }
  /** Event and payload apart; the payload stays bytes. */
  | {
      readonly kind: 'user';
      readonly event: string;
      readonly encoding: Encoding;
      readonly data: Buffer;
      /** Id of the stored message; null for messages that are not stored. */
      readonly id: string | null;
    };

/** Bytes that the payload limit counts. */
export const messageBytes = (message: BroadcastMessage): number =>
  message.kind === 'object' ? Buffer.byteLength(message.payload) : message.data.length;
