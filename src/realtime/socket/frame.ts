/** Reference of a client's message; clients send text, the protocol does not forbid numbers. */
export type Ref = string | number | null;

/** How the bytes of a broadcast are to be read. */
export type Encoding = 'json' | 'binary';

/** What a client sent: JSON, or a broadcast whose payload stays bytes that nobody here parses. */
type InboundPayload =
  | { readonly kind: 'json'; readonly value: unknown }
  | {
      readonly kind: 'user-broadcast';
      readonly event: string;
      readonly encoding: Encoding;
      readonly data: Buffer;
    };

/** A message from a client. */
export type Inbound = {
  readonly joinRef: Ref;
  readonly ref: Ref;
  readonly topic: string;
  readonly event: string;
  readonly payload: InboundPayload;
};

/** The answer to a client's message; `response` is JSON text. */
type Reply = {
  readonly joinRef: Ref;
  readonly ref: Ref;
  readonly topic: string;
  readonly status: 'ok' | 'error';
  readonly response: string;
};

/** A message that the server starts; `payload` is JSON text. */
export type Push = {
  readonly joinRef: Ref;
  readonly ref: Ref;
  readonly topic: string;
  readonly event: string;
  readonly payload: string;
};

/** A broadcast whose payload is handed on as bytes; `metadata` is JSON text. */
export type UserBroadcast = {
  readonly topic: string;
  readonly event: string;
  readonly encoding: Encoding;
  readonly data: Buffer;
  readonly metadata: string | null;
};

/** What goes onto the socket. Text is encoded once, however many sockets it goes to. */
export type Frame = { readonly data: Buffer; readonly isBinary: boolean };

/** A text frame. */
export const textFrame = (text: string): Frame => ({ data: Buffer.from(text), isBinary: false });

/** Whether a client may use this as a reference. */
export const isRef = (value: unknown): value is Ref =>
  typeof value === 'string' || typeof value === 'number' || value === null;

/** The JSON of a text frame; undefined for a frame that is not JSON, which the protocol drops. */
export function frameJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** One version of the wire protocol. */
export interface Serializer {
  readonly version: 1 | 2;
  /** Null for a frame that is not a message; such frames are dropped. */
  decode(data: Buffer, isBinary: boolean): Inbound | null;
  reply(reply: Reply): Frame;
  push(push: Push): Frame;
  /** Null when this version cannot carry it. */
  userBroadcast(broadcast: UserBroadcast): Frame | null;
}

/** Largest number of bytes that a one-byte length can announce. */
export const maxFieldBytes = 255;
