import { setTimeout as delay } from 'node:timers/promises';
import { type ExitInfo, type Postmaster, type PostmasterSpec, startPostmaster } from './postmaster.ts';

/** What the supervisor of a postmaster reports. */
export type SupervisorEvent =
  | { readonly kind: 'ready'; readonly pid: number; readonly port: number }
  | { readonly kind: 'lost'; readonly exit: ExitInfo; readonly retryInMs: number }
  | { readonly kind: 'restart_failed'; readonly error: unknown; readonly retryInMs: number };

/** Receives the supervisor's reports. */
type Report = (event: SupervisorEvent) => void;

/** A postmaster that is started again when it dies, until `stop`. */
export type Supervised = {
  /** Pid of the postmaster at this moment; undefined between its death and its restart. */
  pid(): number | undefined;
  /** Shuts down within about `timeoutMs`; harmless when called twice. */
  stop(timeoutMs?: number): Promise<void>;
  /** Resolves when the supervised Postgres has ended for good. */
  readonly exited: Promise<ExitInfo>;
};

const STOP_TIMEOUT_MS = 10_000;
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 5_000;
/** A postmaster that lived this long starts the backoff anew. */
const STABLE_AFTER_MS = 30_000;

/**
 * Keeps a postmaster alive:
 *
 *     running --dies--> waiting (backoff) --started--> running
 *        |                 |    ^------failed------|
 *        +------stop-------+--> ended
 */
export function supervise(spec: PostmasterSpec, first: Postmaster, port: number, report: Report): Supervised {
  const stopping = new AbortController();
  let current: Postmaster | undefined = first;
  let stopTimeoutMs = STOP_TIMEOUT_MS;

  const run = async (): Promise<ExitInfo> => {
    const backoff = { ms: FIRST_BACKOFF_MS };
    let exit: ExitInfo = { code: 0, signal: null };
    while (current) {
      report({ kind: 'ready', pid: current.pid, port });
      const readyAt = Date.now();
      exit = await endedOrStopped(current, stopping.signal, () => stopTimeoutMs);
      current = undefined;
      if (stopping.signal.aborted) break;
      if (Date.now() - readyAt > STABLE_AFTER_MS) backoff.ms = FIRST_BACKOFF_MS;
      report({ kind: 'lost', exit, retryInMs: backoff.ms });
      current = await restart(spec, stopping.signal, backoff, report);
    }
    return exit;
  };

  const exited = run();
  return {
    exited,
    pid: () => current?.pid,
    async stop(timeoutMs = STOP_TIMEOUT_MS) {
      stopTimeoutMs = timeoutMs;
      stopping.abort();
      await exited;
    },
  };
}

/** Waits for the end of a postmaster, which the signal asks for. */
async function endedOrStopped(
  postmaster: Postmaster,
  signal: AbortSignal,
  timeoutMs: () => number,
): Promise<ExitInfo> {
  const stop = (): void => void postmaster.stop(timeoutMs());
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const exit = await postmaster.ended;
  signal.removeEventListener('abort', stop);
  return exit;
}

/** Starts a postmaster again, as often as it takes; undefined when the signal came first. */
async function restart(
  spec: PostmasterSpec,
  signal: AbortSignal,
  backoff: { ms: number },
  report: Report,
): Promise<Postmaster | undefined> {
  for (;;) {
    await delay(backoff.ms, undefined, { signal }).catch(() => {}); // cut short by stop
    if (signal.aborted) return undefined;
    backoff.ms = Math.min(backoff.ms * 2, MAX_BACKOFF_MS);
    try {
      return await startPostmaster(spec);
    } catch (error) {
      report({ kind: 'restart_failed', error, retryInMs: backoff.ms });
    }
  }
}
