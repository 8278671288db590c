import type { ShadowAnswer } from './compare.ts';
import { routeOf } from './route.ts';
import type { Tally } from './tally.ts';

/** A request that was answered by upstream, and the answer. */
export type Exchange = {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
  readonly answer: ShadowAnswer;
};

/** Sends what was answered to the other backend, a few at a time, and forgets what would wait too long. */
export type Replayer = {
  /** Takes an exchange; never waits. */
  offer(exchange: Exchange): void;
  /** Takes no more, and resolves when what was taken is compared. */
  drain(): Promise<void>;
};

export type ReplayOptions = {
  readonly url: string;
  readonly tally: Tally;
  /** Exchanges that may wait; further ones are dropped. */
  readonly queueSize: number;
  readonly parallel: number;
  /** A larger body is not kept. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** Keys of upstream and what stands for them at the other backend. */
  readonly keys: ReadonlyMap<string, string>;
};

/** Makes a replayer. */
export function createReplayer(options: ReplayOptions): Replayer {
  const { tally, queueSize, parallel } = options;
  const waiting: Exchange[] = [];
  const running = new Set<Promise<void>>();
  let isClosed = false;
  const next = (): void => {
    while (running.size < parallel) {
      const exchange = waiting.shift();
      if (exchange === undefined) return;
      const work = replay(exchange, options).finally(() => {
        running.delete(work);
        next();
      });
      running.add(work);
    }
  };
  return {
    offer(exchange) {
      if (isClosed) return;
      if (waiting.length >= queueSize) return tally.dropped();
      waiting.push(exchange);
      next();
    },
    async drain() {
      isClosed = true;
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/** Asks the other backend and compares. Never rejects. */
async function replay(exchange: Exchange, options: ReplayOptions): Promise<void> {
  const { method, target, answer } = exchange;
  const route = routeOf(method, target);
  try {
    options.tally.compared(route, answer, await ask(exchange, options));
  } catch {
    // No answer, whatever the reason: the report counts it.
    options.tally.unanswered(route);
  }
}

async function ask(
  { method, target, headers, body }: Exchange,
  options: ReplayOptions,
): Promise<ShadowAnswer> {
  const started = performance.now();
  const response = await fetch(options.url + target, {
    method,
    headers: translated(headers, options.keys),
    body: body === null ? null : new Uint8Array(body),
    redirect: 'manual',
    signal: AbortSignal.timeout(options.timeoutMs),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    body: bytes.length > options.maxBytes ? null : bytes,
    ms: performance.now() - started,
  };
}

/** Headers that belong to one connection, or that would make the answer depend on what a cache holds. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'content-length',
  'expect',
  'accept-encoding',
  'if-none-match',
  'if-modified-since',
]);

function translated(
  headers: Readonly<Record<string, string>>,
  keys: ReadonlyMap<string, string>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !LEFT_OUT.has(name))
      .map(([name, value]) => {
        const [, scheme = '', key = ''] = /^(Bearer )?(.*)$/i.exec(value) ?? [];
        const own = name === 'apikey' || name === 'authorization' ? keys.get(key) : undefined;
        return [name, own === undefined ? value : scheme + own];
      }),
  );
}
