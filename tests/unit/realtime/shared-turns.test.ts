import { expect, it } from 'vitest';
import { createSharedTurns } from '../../../src/realtime/feed/shared-turns.ts';

/** Loads that are answered by hand, in the order in which they begin. */
function loads() {
  const begun: string[] = [];
  const answers: ((answer: string) => void)[] = [];
  return {
    begun,
    load: (name: string) => (): Promise<string> => {
      begun.push(name);
      return new Promise((resolve) => answers.push(resolve));
    },
    answer: (text: string): void => answers.shift()?.(text),
  };
}

it('a crowd that asks for the same is answered by one question', async () => {
  const turns = createSharedTurns();
  const { begun, load, answer } = loads();
  const first = turns.ask('a', load('first'));
  await Promise.resolve();
  const crowd = Array.from({ length: 1_000 }, (_, i) => turns.ask('a', load(`crowd ${i}`)));
  answer('old');
  expect(await first).toBe('old');
  await Promise.resolve();
  answer('new');
  expect(new Set(await Promise.all(crowd))).toEqual(new Set(['new']));
  expect(begun).toEqual(['first', 'crowd 0']);
});

it('who asks after a question was put gets an answer of their own', async () => {
  const turns = createSharedTurns();
  const { begun, load, answer } = loads();
  const before = turns.ask('a', load('before'));
  await Promise.resolve();
  expect(begun).toEqual(['before']);
  const after = turns.ask('a', load('after'));
  answer('1');
  expect(await before).toBe('1');
  await Promise.resolve();
  answer('2');
  expect(await after).toBe('2');
});

it('different questions take turns, also after one that failed', async () => {
  const turns = createSharedTurns();
  const { begun, load, answer } = loads();
  const failing = turns.ask('a', () => Promise.reject(new Error('no')));
  const other = turns.ask('b', load('b'));
  await expect(failing).rejects.toThrow('no');
  await Promise.resolve();
  answer('yes');
  expect(await other).toBe('yes');
  expect(begun).toEqual(['b']);
});
