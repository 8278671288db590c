import { describe, expect, it } from 'vitest';
import { type HostLookup, isReachable } from '../../../src/auth/mail/reachable.ts';

const failing =
  (code: string): HostLookup =>
  () =>
    Promise.reject(Object.assign(new Error(code), { code }));
const found: HostLookup = () => Promise.resolve([]);
const [unknown, troubled] = [failing('ENOTFOUND'), failing('ESERVFAIL')];

describe('an address', () => {
  it.each([
    'test@gmail.com',
    'short@gmail.com',
    'ann@example.com',
    'ann@example.org',
    'ann@shop.test',
    'ann@host.invalid',
    'ann@printer.local',
    'ann@localhost',
    'ann@single',
    'ann@gamil.com',
  ])('%s is wrong without a look at the DNS', async (email) => {
    expect(await isReachable(email, [found])).toBe(false);
  });

  it('at a well-known host is right without a look at the DNS', async () => {
    expect(await isReachable('somebody@gmail.com', [unknown])).toBe(true);
  });

  it.each<[string, readonly HostLookup[], boolean]>([
    ['that takes mail', [found, unknown], true],
    ['that only has an address', [unknown, found], true],
    ['that the DNS does not know', [unknown, failing('ENODATA')], false],
    ['that the DNS cannot tell of', [troubled, unknown], true],
  ])('at a host %s counts accordingly', async (_, ways, expected) => {
    expect(await isReachable('ann@shop.example.dev', ways)).toBe(expected);
  });
});
