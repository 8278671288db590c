/** Parts of the product that report what happens in them. */
export type ServiceId = 'gateway' | 'rest' | 'auth' | 'storage' | 'realtime' | 'postgres' | 'inbox' | 'admin';

/** Everything that can be logged or counted. A new kind does not compile until the log and the metrics know it. */
export type Observation =
  | {
      readonly kind: 'request-done';
      readonly service: ServiceId;
      readonly id: string;
      readonly method: string;
      /** Route template, never the path with its ids. */
      readonly route: string;
      readonly status: number;
      readonly ms: number;
      readonly role: string | null;
    }
  | {
      /** Something that should not happen; the client got a 5xx without detail. */
      readonly kind: 'fault';
      readonly service: ServiceId;
      readonly message: string;
      readonly error: unknown;
      readonly requestId?: string | undefined;
    }
  | {
      readonly kind: 'notice';
      readonly service: ServiceId;
      readonly level: 'debug' | 'info' | 'warn';
      readonly message: string;
      /** Facts beside the message; never tokens, bodies, addresses or SQL values. */
      readonly fields?: Readonly<Record<string, string | number | boolean | null>>;
    }
  | {
      readonly kind: 'schema-reloaded';
      readonly ms: number;
      readonly tables: number;
      readonly reason: string;
    }
  | { readonly kind: 'feed-progress'; readonly lagBytes: number; readonly changes: number }
  | { readonly kind: 'sockets'; readonly open: number };

/** Receives observations; must not throw. */
export type Observer = (observation: Observation) => void;

/** An observer that ignores everything. */
export const silent: Observer = () => {};
