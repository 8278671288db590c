import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSupervisor, pause } from '../../../src/core/lifecycle.ts';
import type { Observation } from '../../../src/core/observe.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('the supervisor', () => {
  it('starts a failed service again after a pause and reports each failure', async () => {
    const seen: Observation[] = [];
    const supervisor = createSupervisor((observation) => seen.push(observation));
    let runs = 0;
    supervisor.start({
      id: 'flaky',
      service: 'realtime',
      run: async (signal) => {
        runs++;
        if (runs < 3) throw new Error('lost');
        await untilAborted(signal);
      },
    });
    await vi.advanceTimersByTimeAsync(1000);
    expect(runs).toBe(3);
    expect(seen.map((one) => one.kind)).toEqual(['fault', 'fault']);
    await supervisor.stop();
  });

  it('stops the service that was started last first', async () => {
    const supervisor = createSupervisor(() => {});
    const ended: string[] = [];
    for (const id of ['first', 'second']) {
      supervisor.start({
        id,
        service: 'rest',
        run: async (signal) => {
          await untilAborted(signal);
          ended.push(id);
        },
      });
    }
    await supervisor.stop();
    expect(ended).toEqual(['second', 'first']);
  });

  it('does not restart what fails while it is being stopped', async () => {
    const seen: Observation[] = [];
    const supervisor = createSupervisor((observation) => seen.push(observation));
    supervisor.start({
      id: 'last words',
      service: 'rest',
      run: async (signal) => {
        await untilAborted(signal);
        throw new Error('closed');
      },
    });
    await supervisor.stop();
    expect(seen).toEqual([]);
  });
});

describe('a pause', () => {
  it('ends early when its signal aborts', async () => {
    const abort = new AbortController();
    const paused = pause(60_000, abort.signal);
    abort.abort();
    await expect(paused).resolves.toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });
});
