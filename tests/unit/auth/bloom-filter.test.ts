import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createBloomFilter } from '../../../src/auth/passwords/bloom-filter.ts';

const hashes = (count: number, name: string): readonly string[] =>
  Array.from({ length: count }, (_, i) =>
    createHash('sha1').update(`${name}${i}`).digest('hex').toUpperCase(),
  );

describe('a filter of hashes', () => {
  it('has whatever was added, and little else', () => {
    const filter = createBloomFilter(1_250, 0.01);
    const added = hashes(1_000, 'leaked');
    filter.add(added);
    expect(added.every((hash) => filter.has(hash))).toBe(true);
    const wrong = hashes(10_000, 'good').filter((hash) => filter.has(hash)).length;
    expect(wrong).toBeLessThan(100);
  });

  it('begins anew with the hashes that it would be four fifths full with', () => {
    const filter = createBloomFilter(100, 0.00001);
    const [early = '', late = ''] = [hashes(1, 'early')[0], hashes(1, 'late')[0]];
    filter.add([early]);
    filter.add(hashes(79, 'more'));
    expect(filter.has(early)).toBe(true);
    filter.add([late]);
    expect([filter.has(early), filter.has(late)]).toEqual([false, true]);
  });
});
