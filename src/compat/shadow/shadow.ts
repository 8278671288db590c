import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Showing } from './compare.ts';
import { createShadowProxy } from './proxy.ts';
import { createReplayer } from './replay.ts';
import type { RpcRule } from './route.ts';
import { createTally, type ShadowReport } from './tally.ts';

export type ShadowOptions = {
  readonly upstream: URL;
  /** The backend that is asked in the background. */
  readonly ownbase: string;
  readonly host: string;
  readonly port: number;
  readonly rpc: RpcRule;
  /** The share of requests that are compared, 0 to 1. */
  readonly sample: number;
  readonly queueSize: number;
  readonly showing: Showing;
  /** Keys of upstream and what stands for them at ownbase. */
  readonly keys: ReadonlyMap<string, string>;
  readonly timeoutMs?: number;
};

/** A running shadow. */
export type Shadow = {
  readonly url: string;
  /** What was seen so far. */
  report(): ShadowReport;
  /** Takes no more requests, and resolves with everything compared that was taken. */
  stop(): Promise<ShadowReport>;
};

const MAX_BYTES = 1024 * 1024;

/** Starts a proxy that answers from upstream and compares ownbase's answers. Rejects when the port is taken. */
export async function startShadow(options: ShadowOptions): Promise<Shadow> {
  const { upstream, ownbase, showing, sample } = options;
  const tally = createTally({
    upstream: upstream.href,
    ownbase,
    showing,
    startedAt: new Date().toISOString(),
  });
  const replayer = createReplayer({
    url: ownbase.replace(/\/+$/, ''),
    tally,
    queueSize: options.queueSize,
    parallel: 4,
    maxBytes: MAX_BYTES,
    timeoutMs: options.timeoutMs ?? 30_000,
    keys: options.keys,
  });
  const server = createShadowProxy({
    upstream,
    rpc: options.rpc,
    isSampled: () => Math.random() < sample,
    maxBytes: MAX_BYTES,
    onRequest: tally.request,
    onExchange: replayer.offer,
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host}:${port}`,
    report: tally.report,
    async stop() {
      server.close();
      server.closeAllConnections();
      await replayer.drain();
      return tally.report();
    },
  };
}
