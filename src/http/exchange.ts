import type { IncomingHttpHeaders } from 'node:http';
import type { Readable, Writable } from 'node:stream';

/** A request as the services see it. Nothing in it is normalised or decoded. */
export type HttpRequest = {
  /** Id of the request: the client's `x-request-id`, or a new one. */
  readonly id: string;
  readonly method: string;
  /** Path after the service's prefix, raw as the client sent it; starts with `/`, or is empty. */
  readonly path: string;
  /** Path with the prefix, raw. */
  readonly fullPath: string;
  /** Query text without its `?`, raw; empty without one. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  /** Authorization after the gateway's apikey rule; null without credentials. */
  readonly authorization: string | null;
  /** The client's address, from the socket or from a trusted proxy. */
  readonly ip: string;
  /** `https` when the gateway or a trusted proxy ended TLS. */
  readonly protocol: 'http' | 'https';
  readonly body: Readable;
  /** Calls back when the client goes away before its answer is complete; returns the end of the subscription. */
  readonly onGone: (listener: () => void) => () => void;
};

/** A stream that has a cheaper way to a connection than a pipe. */
export interface SelfSending {
  /** Sends everything and ends the answer; rejects when the source breaks or the client is gone. */
  sendTo(out: Writable): Promise<void>;
}

/** Header values of an answer; a list is sent as one header line each. */
export type ReplyHeaders = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/**
 * An answer. Buffers in a list are sent one after the other, as a stream is: with back-pressure, and no longer than
 * the client stays.
 */
export type HttpReply = {
  readonly status: number;
  readonly headers: ReplyHeaders;
  readonly body: string | Buffer | readonly Buffer[] | Readable | null;
  /** What the access log and the metrics call this request: a route template and the role, never client data. */
  readonly route?: string;
  readonly role?: string;
};

/** Answers requests; must not reject for anything that a client can cause. */
export type Handler = (request: HttpRequest) => Promise<HttpReply>;

/** Content type of JSON answers, unless a service's own protocol words it differently. */
export const jsonContentType = 'application/json; charset=utf-8';

/** An answer with a JSON body. */
export function jsonReply(status: number, value: unknown, headers: ReplyHeaders = {}): HttpReply {
  return {
    status,
    headers: { 'content-type': jsonContentType, ...headers },
    body: JSON.stringify(value),
  };
}
