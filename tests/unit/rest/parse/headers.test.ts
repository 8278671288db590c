import { describe, expect, it } from 'vitest';
import { contentType, parseAccept, parseMediaType } from '../../../../src/rest/parse/media-type.ts';
import { appliedPreferences, parsePreferences } from '../../../../src/rest/parse/preferences.ts';
import { allRows, intersectRanges, parseRangeHeader } from '../../../../src/rest/parse/row-range.ts';

describe('media types', () => {
  it.each([
    ['application/json', 'application/json'],
    ['Application/JSON; charset=utf-8', 'application/json'],
    ['application/vnd.pgrst.object', 'application/vnd.pgrst.object+json'],
    ['ApplicatIon/vnd.PgRsT.object+json; nulls=stripped', 'application/vnd.pgrst.object+json;nulls=stripped'],
    ['application/vnd.pgrst.array+json;nulls=stripped', 'application/vnd.pgrst.array+json;nulls=stripped'],
    ['application/vnd.pgrst.array', 'application/json'],
    ['application/vnd.pgrst.plan', 'application/vnd.pgrst.plan+text; for="application/json"'],
    [
      'application/vnd.pgrst.plan+json ; for="text/csv" ; options=wal|analyze|nonsense',
      'application/vnd.pgrst.plan+json; for="text/csv"; options=analyze|wal',
    ],
    ['application/vnd.twkb', 'application/vnd.twkb'],
    ['nonsense', 'nonsense'],
  ])('%s is understood as %s', (text, name) => {
    expect(parseMediaType(text).name).toBe(name);
  });

  it('say their charset unless they are bytes or nobody knows them', () => {
    expect(contentType(parseMediaType('text/csv'))).toBe('text/csv; charset=utf-8');
    expect(contentType(parseMediaType('application/octet-stream'))).toBe('application/octet-stream');
    expect(contentType(parseMediaType('image/png'))).toBe('image/png');
  });

  it.each([
    ['text/csv;q=0.5, application/json', ['application/json', 'text/csv']],
    ['*/*, text/csv', ['text/csv', '*/*']],
    ['text/csv, application/json', ['text/csv', 'application/json']],
    [undefined, ['*/*']],
  ])('of Accept: %s are tried in the order %j', (header, names) => {
    expect(parseAccept(header).map(({ name }) => name)).toEqual(names);
  });
});

describe('preferences', () => {
  const zones = new Set(['America/Lima']);
  const parse = (header: string) => parsePreferences(header, true, zones);

  it('are read from one header or from several that were joined', () => {
    expect(parse('count=exact,    tx=commit   ,return=representation , missing=default')).toMatchObject({
      count: 'exact',
      transaction: 'commit',
      representation: 'representation',
      missing: 'default',
      invalid: [],
    });
  });

  it('count when they come first', () => {
    expect(parse('tx=commit, tx=rollback').transaction).toBe('commit');
  });

  it('are invalid when nobody knows them, or their time zone', () => {
    expect(parse('timezone=Nowhere/Land, anything, count=exact').invalid).toEqual([
      'timezone=Nowhere/Land',
      'anything',
    ]);
    expect(parse('timezone=America/Lima').timezone).toBe('America/Lima');
  });

  it('about the transaction are ignored where the configuration does not leave the choice', () => {
    expect(parsePreferences('tx=rollback', false, zones).transaction).toBeNull();
  });

  it('that were applied are named in a fixed order', () => {
    const applied = parse(
      'max-affected=5, handling=strict, count=exact, return=minimal, resolution=merge-duplicates',
    );
    expect(appliedPreferences(applied)).toBe(
      'resolution=merge-duplicates, return=minimal, count=exact, handling=strict, max-affected=5',
    );
    expect(appliedPreferences(parse('anything'))).toBeNull();
  });
});

describe('Range headers', () => {
  it.each([
    ['0-9', { first: 0n, last: 9n }],
    ['0 - 9', allRows],
    ['10-', { first: 10n, last: null }],
    ['9-0', { first: 9n, last: 0n }],
    ['bytes=0-9', allRows],
    ['nonsense', allRows],
    ['-5', allRows],
  ])('%s', (header, range) => {
    expect(parseRangeHeader(header)).toEqual(range);
  });

  it('meet a limit in the rows of both', () => {
    expect(intersectRanges({ first: 5n, last: 9n }, { first: 0n, last: 7n })).toEqual({
      first: 5n,
      last: 7n,
    });
    expect(intersectRanges({ first: 5n, last: 9n }, { first: 0n, last: 3n })).toBeNull();
  });
});
