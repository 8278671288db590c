import { describe, expect, it } from 'vitest';
import { loadCases } from '../../../../src/compat/cases/load.ts';
import { features } from '../../../../src/compat/scan/features/index.ts';
import { standIns } from '../../../../src/compat/scan/sql/extensions.ts';
import { ABSORBED } from '../../../../src/platform/migrations/extensions.ts';

describe('the features that a scan knows', () => {
  it('have ids and calls of their own', () => {
    const ids = features.map(({ id }) => id);
    const calls = features.flatMap((feature) => feature.calls);
    expect(ids).toEqual([...new Set(ids)]);
    expect(calls).toEqual([...new Set(calls)]);
  });

  it('name cases that exist', async () => {
    const cases = (await loadCases()).map(({ id }) => id);
    const missing = features
      .flatMap((feature) => feature.cases)
      .filter((start) => !cases.some((id) => id === start || id.startsWith(`${start}.`)));
    expect(missing).toEqual([]);
  });

  it('have stand-ins for just those extensions that migrations may name without the server having them', () => {
    const elsewhere = [...ABSORBED].filter((name) => name !== 'pg_stat_statements');
    expect([...standIns].sort()).toEqual(elsewhere.sort());
  });
});
