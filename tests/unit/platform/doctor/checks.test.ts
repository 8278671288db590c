import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import type { Patient } from '../../../../src/platform/doctor/check.ts';
import { keyCheck } from '../../../../src/platform/doctor/key-check.ts';
import { judgeServerVersion } from '../../../../src/platform/doctor/server-checks.ts';

const at = (moment: string, apiKeys: readonly string[]): Patient => ({
  // The check of keys reads no database.
  client: {} as Patient['client'],
  clock: { now: () => Date.parse(moment) },
  apiKeys,
});

const keyUntil = (end: string): Promise<string> =>
  new SignJWT({ role: 'anon' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(new Date(end))
    .sign(Buffer.from('a secret of at least thirty-two bytes'));

test.each([
  [140_012, 'fail'],
  [150_008, 'ok'],
  [180_004, 'ok'],
  [190_000, 'warn'],
] as const)('a server of version %i is judged %s', (version, status) => {
  expect(judgeServerVersion(version).status).toBe(status);
});

test.each([
  ['2026-06-01', 'ok'],
  ['2026-12-01', 'warn'],
  ['2027-01-10', 'fail'],
] as const)('on %s a key that ends on 2027-01-09 is judged %s', async (moment, status) => {
  const verdict = await keyCheck.run(at(moment, [await keyUntil('2027-01-09T23:00:00Z')]));
  expect(verdict.status).toBe(status);
  if (verdict.status !== 'ok') expect(verdict.finding).toContain('anon on 2027-01-09');
});

test('keys without an end are healthy', async () => {
  expect(await keyCheck.run(at('2040-01-01', ['sb_publishable_x', 'not.a.jwt']))).toEqual({ status: 'ok' });
});
