import { describe, expect, it } from 'vitest';
import { diffMigrations } from '../../../../src/platform/migrations/pending.ts';

const files = (...versions: string[]) => versions.map((version) => ({ version }));
const versions = (list: readonly { readonly version: string }[]) => list.map(({ version }) => version);

describe('files are compared with the history', () => {
  it.each([
    ['all are pending in a new database', ['1', '2'], [], ['1', '2'], [], []],
    ['nothing is pending when all were applied', ['1', '2'], ['1', '2'], [], [], []],
    ['newer files are pending', ['1', '2', '3'], ['1'], ['2', '3'], [], []],
    ['older files are out of order', ['1', '2', '3'], ['1', '3'], [], ['2'], []],
    ['applied versions without a file are named', ['1', '3'], ['1', '2'], ['3'], [], ['2']],
    ['all at once', ['2', '4'], ['1', '3'], ['4'], ['2'], ['1', '3']],
  ])('%s', (_name, local, applied, pending, outOfOrder, missingLocally) => {
    const diff = diffMigrations(files(...local), applied);
    expect(versions(diff.pending)).toEqual(pending);
    expect(versions(diff.outOfOrder)).toEqual(outOfOrder);
    expect(diff.missingLocally).toEqual(missingLocally);
  });
});
