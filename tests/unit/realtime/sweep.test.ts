import { describe, expect, it } from 'vitest';
import { createSweep } from '../../../src/realtime/socket/sweep.ts';

/** A sweep every second, over one socket, with a clock that the test moves. */
function setUp() {
  const clock = { at: 1_000_000, now: () => clock.at };
  const calls: string[] = [];
  const socket = { checkAlive: () => calls.push('checked'), forgive: () => calls.push('forgiven') };
  const sweep = createSweep([socket], clock, 1_000);
  return (passedMs: number): string | undefined => {
    clock.at += passedMs;
    sweep();
    return calls.at(-1);
  };
}

describe('the sweep over sockets', () => {
  it('looks whether each of them was heard', () => {
    expect(setUp()(1_000)).toBe('checked');
  });

  it('minds no delay of a busy process', () => {
    expect(setUp()(1_900)).toBe('checked');
  });

  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('cuts nobody when the clock has jumped %s, and goes on', (_, jump) => {
    const sweepAfter = setUp();
    expect(sweepAfter(1_000 + jump)).toBe('forgiven');
    expect(sweepAfter(1_000)).toBe('checked');
  });
});
