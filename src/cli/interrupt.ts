import { clearProgress } from './ui/progress-line.ts';

let interrupted = false;

/** Exit code after Ctrl-C, as shells have it. */
export const INTERRUPTED = 130;

/** Whether `interruption` has spoken. */
export const wasInterrupted = (): boolean => interrupted;

/**
 * A signal that aborts when a person (Ctrl-C) or the system (SIGTERM) asks this process to end: for commands that have
 * something to remove first. A second Ctrl-C does not wait for that.
 */
export function interruption(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      interrupted = true;
      stop.abort();
    });
  }
  return stop.signal;
}

/** Lets Ctrl-C end this process as ever, but take the line of progress away before. */
export function leaveTerminalClean(): void {
  process.on('SIGINT', function end() {
    clearProgress();
    if (process.listenerCount('SIGINT') > 1) return; // the command ends itself
    process.off('SIGINT', end);
    process.kill(process.pid, 'SIGINT');
  });
}
