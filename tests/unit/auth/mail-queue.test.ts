import { describe, expect, it } from 'vitest';
import { createMailQueue } from '../../../src/auth/mail/queue.ts';
import type { Observation } from '../../../src/core/observe.ts';

/** Work that ends when the test says so. */
function work() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    begun,
    job: (name: string) => () => {
      begun.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    },
    async end(name: string) {
      ends.get(name)?.();
      // What waits for the end is told in later turns of the loop.
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('mails', () => {
  it('to several people go out side by side, a few at a time', async () => {
    const { begun, job, end } = work();
    const queue = createMailQueue(() => undefined);
    for (const name of ['ann', 'bob', 'carl', 'dora']) queue.push('invite', name, job(name));
    expect(begun).toEqual(['ann', 'bob', 'carl']);
    await end('bob');
    expect(begun).toEqual(['ann', 'bob', 'carl', 'dora']);
  });

  it('to one person go out in their order, and do not hold up others', async () => {
    const { begun, job, end } = work();
    const queue = createMailQueue(() => undefined);
    queue.push('recovery', 'ann', job('first'));
    queue.push('recovery', 'ann', job('second'));
    queue.push('recovery', 'bob', job('other'));
    expect(begun).toEqual(['first', 'other']);
    await end('first');
    expect(begun).toEqual(['first', 'other', 'second']);
  });

  it('that cannot be sent while the process ends are given up and reported, without their address', async () => {
    const observed: Observation[] = [];
    const queue = createMailQueue((seen) => observed.push(seen));
    let fail = (_: Error): void => undefined;
    queue.push('recovery', 'ann@example.com', () => new Promise((_, reject) => (fail = reject)));
    const drained = queue.drain(5_000);
    fail(new Error('no server'));
    await drained;
    expect(observed).toMatchObject([{ kind: 'fault', message: 'a mail could not be sent (recovery)' }]);
    expect(JSON.stringify(observed)).not.toContain('ann@example.com');
  });
});
