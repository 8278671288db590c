/** What a crowd of sockets is asked to do. */
export type CrowdSpec = {
  /** Address of the WebSocket, with the key. */
  readonly url: string;
  readonly sockets: number;
  /** Topic of all sockets; null for sockets that join nothing. */
  readonly topic: string | null;
  /** The join's configuration. */
  readonly config: unknown;
  /** Tokens of the users; the sockets take turns. */
  readonly tokens: readonly string[];
  /** Whether each socket waits for its subscription to changes. */
  readonly waitsForChanges: boolean;
};

/** What a crowd has received since it was asked last. */
export type Report = {
  readonly received: number;
  /** Size of what was received. */
  readonly bytes: number;
  /** Milliseconds from when a message was made, as it says itself, until it arrived. */
  readonly latencies: readonly number[];
  /** Per message number, the places of the users that got it; only with `ids`. */
  readonly byId: Readonly<Record<string, readonly number[]>>;
  readonly closed: number;
};

/** Orders to the process of a crowd. */
export type Order =
  | { readonly kind: 'open'; readonly spec: CrowdSpec }
  /** Looks into messages (`id` and time) instead of only counting them. */
  | { readonly kind: 'look'; readonly ids: boolean }
  | { readonly kind: 'report' };

/** Its answers. */
export type Answer = { readonly kind: 'ready' } | { readonly kind: 'report'; readonly report: Report };
