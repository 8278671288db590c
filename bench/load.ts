import autocannon from 'autocannon';
import { cpuMicros } from './processes.ts';
import type { Workload } from './workloads.ts';

/** What a server did under load. */
export type LoadResult = {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
  /** Processor time of the server per request, in microseconds: little moved by what else the machine does. */
  readonly cpuMicros: number;
};

/** How a load is put on. */
export type LoadOptions = {
  readonly url: string;
  /** Process of the server. */
  readonly pid: number;
  readonly connections: number;
  readonly seconds: number;
  readonly token: string;
};

const distinctRequests = 500;

/** Sends a workload's requests over keep-alive connections for some seconds. */
export async function load(workload: Workload, options: LoadOptions): Promise<LoadResult> {
  const requests = Array.from({ length: distinctRequests }, () => ({
    method: workload.method,
    path: `/rest/v1${workload.path()}`,
    ...(workload.body === undefined ? {} : { body: workload.body() }),
  }));
  const before = cpuMicros(options.pid) ?? Number.NaN;
  const result = await autocannon({
    url: options.url,
    connections: options.connections,
    duration: options.seconds,
    headers: {
      authorization: `Bearer ${options.token}`,
      'x-workload': workload.name,
      ...(workload.method === 'GET' ? {} : { 'content-type': 'application/json' }),
      ...workload.headers,
    },
    requests,
  });
  return {
    perSecond: result['2xx'] / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    errors: result.non2xx + result.errors,
    cpuMicros: ((cpuMicros(options.pid) ?? Number.NaN) - before) / result.requests.total,
  };
}
