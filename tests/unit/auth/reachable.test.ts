import { describe, expect, it } from 'vitest';
import { isMailable } from '../../../src/auth/mail/address-check.ts';
import { type HostLookup, isPlausible, isReachable } from '../../../src/auth/mail/reachable.ts';

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
  ])('%s is wrong without a look at the DNS', (email) => {
    expect(isPlausible(email)).toBe(false);
  });

  it('at a well-known host is right without a look at the DNS', async () => {
    expect(isPlausible('somebody@gmail.com')).toBe(true);
    expect(await isReachable('somebody@gmail.com', [], [unknown])).toBe(true);
  });

  it.each<[string, readonly HostLookup[], boolean]>([
    ['that takes mail', [found, unknown], true],
    ['that only has an address', [unknown, found], true],
    ['that the DNS does not know', [unknown, failing('ENODATA')], false],
    ['that the DNS cannot tell of', [troubled, unknown], true],
  ])('at a host %s counts accordingly', async (_, ways, expected) => {
    expect(await isReachable('ann@shop.example.dev', [], ways)).toBe(expected);
  });

  it.each([
    ['a blocked name', ['mx.spam.dev'], ['mx.spam.dev'], false],
    ['a blocked name, written with a dot', ['mx.good.dev', 'mx.spam.dev.'], ['mx.spam.dev'], false],
    ['a blocked address', ['203.0.113.7'], ['203.0.113.7'], false],
    ['another name', ['mx.good.dev'], ['mx.spam.dev'], true],
  ])('whose mail is taken by %s counts accordingly', async (_, servers, blocked, expected) => {
    expect(await isReachable('ann@shop.example.dev', blocked, [() => Promise.resolve(servers)])).toBe(
      expected,
    );
  });
});

describe('settings about addresses', () => {
  const serving =
    (valid: unknown): typeof fetch =>
    () =>
      Promise.resolve(Response.json({ valid }));
  const off = {
    emailValidationExtended: false,
    emailValidationBlockedMx: ['mx.spam.dev'],
    emailValidationServiceUrl: null,
    emailValidationServiceHeaders: {},
  };
  const extended = { ...off, emailValidationExtended: true };
  const served = { ...extended, emailValidationServiceUrl: 'https://check.dev/' };
  const spam: HostLookup = () => Promise.resolve(['mx.spam.dev']);

  it.each([
    ['that are off let everything pass', off, spam, serving(false), true],
    ['refuse a blocked mail server', extended, spam, serving(true), false],
    ['let other mail servers pass', extended, found, serving(false), true],
    ['refuse what the service refuses, however good the DNS', served, found, serving(false), false],
    ['refuse what the DNS does not know, whatever the service says', served, unknown, serving(true), false],
    ['take a service without a verdict for none', served, found, serving(null), true],
  ])('%s', async (_, config, lookup, fetch, expected) => {
    expect(await isMailable({ config, fetch }, 'ann@shop.example.dev', [lookup])).toBe(expected);
  });
});
