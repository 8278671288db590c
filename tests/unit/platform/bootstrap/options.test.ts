import { expect, test } from 'vitest';
import { systemRandom } from '../../../../src/core/clock.ts';
import { fingerprint, toSettings } from '../../../../src/platform/bootstrap/options.ts';

const options = {
  passwords: { postgres: 'secret' },
  app: { jwtExpirySeconds: 60 },
  autoExposeNewTables: false,
};

test('settings carry verifiers, never passwords', () => {
  const settings = toSettings(options, systemRandom);
  expect([...settings.keys()]).toEqual([
    'ownbase.verifier_postgres',
    'ownbase.app_jwt_exp',
    'ownbase.auto_expose',
  ]);
  expect(settings.get('ownbase.verifier_postgres')).toMatch(/^SCRAM-SHA-256\$4096:/);
  expect([...settings.values()].join()).not.toContain('secret');
});

test.each([
  ['another password', { ...options, passwords: { postgres: 'other' } }, 'scripts', 'cluster'],
  ['another script', options, 'edited', 'cluster'],
  ['another cluster', options, 'scripts', 'restored'],
  ['another choice', { ...options, autoExposeNewTables: true }, 'scripts', 'cluster'],
])('%s changes the fingerprint', (_, given, scripts, cluster) => {
  expect(fingerprint(given, scripts, cluster)).not.toBe(fingerprint(options, 'scripts', 'cluster'));
});

test('equal options have one fingerprint', () => {
  expect(fingerprint(options, 'scripts', 'cluster')).toBe(fingerprint({ ...options }, 'scripts', 'cluster'));
});
