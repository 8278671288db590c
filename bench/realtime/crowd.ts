import { type ChildProcess, fork } from 'node:child_process';
import type { Answer, CrowdSpec, Order, Report } from './protocol.ts';

/** Sockets in a process of their own. */
export interface Crowd {
  /** From now on messages are looked into: when they were made and, with `ids`, who got which. */
  look(ids: boolean): Promise<void>;
  /** What was received since the last report. */
  report(): Promise<Report>;
  /** Waits until this many messages have arrived, or the time is over; yields all reports in one. */
  collect(expected: number, timeoutMs: number, pauseMs?: number): Promise<Report>;
  close(): void;
}

/** Opens a crowd; resolves when every socket has joined. */
export async function openCrowd(spec: CrowdSpec): Promise<Crowd> {
  const child: ChildProcess = fork(new URL('./crowd-process.ts', import.meta.url), {
    execArgv: ['--import', 'tsx'],
  });
  const ask = (order: Order): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error('the crowd has come to its end'));
      child.once('exit', onExit);
      child.once('message', (message) => {
        child.off('exit', onExit);
        resolve(message as Answer);
      });
      child.send(order);
    });
  await ask({ kind: 'open', spec });
  const report = async (): Promise<Report> => {
    const answer = await ask({ kind: 'report' });
    if (answer.kind !== 'report') throw new Error('the crowd answers out of order');
    return answer.report;
  };
  return {
    async look(ids) {
      await ask({ kind: 'look', ids });
    },
    report,
    async collect(expected, timeoutMs, pauseMs = 50) {
      const end = performance.now() + timeoutMs;
      let all: Report = { received: 0, bytes: 0, latencies: [], byId: {}, closed: 0 };
      while (all.received < expected && performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        all = add(all, await report());
      }
      return all;
    },
    close: () => child.disconnect(),
  };
}

function add(left: Report, right: Report): Report {
  const byId: Record<string, readonly number[]> = { ...left.byId };
  for (const [id, users] of Object.entries(right.byId)) byId[id] = [...(byId[id] ?? []), ...users];
  return {
    received: left.received + right.received,
    bytes: left.bytes + right.bytes,
    latencies: left.latencies.concat(right.latencies),
    byId,
    closed: right.closed,
  };
}
