import { describe, expect, it } from 'vitest';
import { PgFailure, type PgFailureFields } from '../../../../src/pg/failure.ts';
import { errorBody, errorHeaders, restErrors } from '../../../../src/rest/errors.ts';
import { fromPgFailure } from '../../../../src/rest/pg-error.ts';
import { contentRange, rangeStatus } from '../../../../src/rest/respond/content-range.ts';
import { headerText, sendable } from '../../../../src/rest/respond/header-text.ts';
import { overrideHead } from '../../../../src/rest/respond/override.ts';

const nothing = {
  kind: 'server',
  message: 'it failed',
  detail: null,
  hint: null,
  position: null,
  where: null,
  schema: null,
  table: null,
  column: null,
  constraint: null,
  routine: null,
} as const;

const failure = (sqlstate: string, fields: Partial<PgFailureFields> = {}) =>
  new PgFailure({ ...nothing, sqlstate, ...fields });

describe('the place of rows', () => {
  it.each([
    [0n, 3, 10, '0-2/10', 206],
    [0n, 10, 10, '0-9/10', 200],
    [5n, 0, null, '*/*', 200],
    [0n, 0, 0, '*/0', 200],
    [20n, 0, 10, '*/10', 416],
    [10n, 0, 10, '*/10', 206],
  ] as const)('from %s, %i rows of %s: %s, %i', (lower, rows, total, text, status) => {
    expect(contentRange(lower, lower + BigInt(rows) - 1n, total)).toBe(text);
    expect(rangeStatus(lower, rows, total)).toBe(status);
  });
});

describe('statuses of failed statements', () => {
  it.each([
    ['23505', 409],
    ['23503', 409],
    ['23502', 400],
    ['22P02', 400],
    ['25006', 405],
    ['42P01', 404],
    ['42883', 404],
    ['42703', 400],
    ['42P17', 500],
    ['40001', 500],
    ['57014', 500],
    ['57P01', 503],
    ['53300', 503],
    ['53400', 500],
    ['08006', 503],
    ['28000', 403],
    ['P0001', 400],
    ['P0002', 500],
    ['XX000', 500],
    ['21000', 500],
    ['PT402', 402],
    ['PTxyz', 500],
  ])('%s is %i', (sqlstate, status) => {
    expect(fromPgFailure(failure(sqlstate), true).status).toBe(status);
  });

  it('42501 is 403 for a known role and 401, with a challenge, for the anonymous one', () => {
    expect(fromPgFailure(failure('42501'), true).status).toBe(403);
    expect(fromPgFailure(failure('42501'), false)).toMatchObject({
      status: 401,
      headers: [['WWW-Authenticate', 'Bearer']],
    });
  });

  it('a role that does not exist is 401', () => {
    expect(fromPgFailure(failure('22023', { message: 'role "x" does not exist' }), true).status).toBe(401);
    expect(fromPgFailure(failure('22023'), true).status).toBe(400);
  });

  it('a delete that pg-safeupdate refuses is the client’s fault', () => {
    expect(fromPgFailure(failure('21000', { message: 'DELETE requires a WHERE clause' }), true).status).toBe(
      400,
    );
  });

  it('a full pool and a lost database have codes of their own', () => {
    expect(fromPgFailure(failure('53300', { kind: 'pool-timeout' }), true)).toMatchObject({
      status: 504,
      code: 'PGRST003',
    });
    expect(fromPgFailure(failure('08001', { kind: 'connection' }), true)).toMatchObject({
      status: 503,
      code: 'PGRST000',
    });
    expect(fromPgFailure(failure('3D000', { kind: 'connection' }), true)).toMatchObject({
      status: 503,
      code: 'PGRST000',
    });
    expect(fromPgFailure(failure('08006', { kind: 'connection' }), true)).toMatchObject({
      status: 503,
      code: 'PGRST001',
    });
  });
});

describe('answers that functions raise', () => {
  const message = JSON.stringify({ code: '123', message: 'Payment', details: 'none', hint: 'pay' });

  it('are what their message and detail say', () => {
    const detail = JSON.stringify({ status: 402, headers: { 'X-Powered-By': 'Nobody' } });
    expect(fromPgFailure(failure('PGRST', { message, detail }), true)).toEqual({
      status: 402,
      code: '123',
      message: 'Payment',
      details: 'none',
      hint: 'pay',
      headers: [['X-Powered-By', 'Nobody']],
    });
  });

  it.each([
    ['not json', '{}', "Invalid JSON value for MESSAGE: 'not json'"],
    [message, null, 'DETAIL is missing in the RAISE statement'],
    [message, '{"status":200}', `Invalid JSON value for DETAIL: '{"status":200}'`],
  ])('are 500 when they cannot be read: %s, %s', (text, detail, details) => {
    expect(fromPgFailure(failure('PGRST', { message: text, detail }), true)).toMatchObject({
      status: 500,
      code: 'PGRST121',
      details,
    });
  });
});

describe('errors', () => {
  it('have their four members in upstream’s order, and the code in a header', () => {
    const error = restErrors.noTable('public', 'film', 'films');
    expect(errorBody(error)).toBe(
      `{"code":"PGRST205","details":null,"hint":"Perhaps you meant the table 'public.films'","message":"Could not find the table 'public.film' in the schema cache"}`,
    );
    expect(errorHeaders(error)).toEqual([['Proxy-Status', 'PostgREST; error=PGRST205']]);
  });
});

describe('what functions set', () => {
  const head = { status: 200, headers: [['Content-Type', 'application/json']] } as const;

  it('replaces headers of the same name and keeps the others', () => {
    const set = { status: '418 please', headers: '[{"content-type":"text/tea"},{"A":"1"},{"A":"2"}]' };
    expect(overrideHead(head, set)).toEqual({
      ok: true,
      value: {
        status: 418,
        headers: [
          ['content-type', 'text/tea'],
          ['A', '1'],
          ['A', '2'],
        ],
      },
    });
  });

  it.each(['{"a":"1"}', '[{"a":1}]', '[{"a":"1","b":"2"}]', 'nonsense'])(
    'must be a list of headers, not %s',
    (headers) => {
      expect(overrideHead(head, { status: null, headers })).toMatchObject({
        ok: false,
        error: { code: 'PGRST111' },
      });
    },
  );

  it('must be a status that can end a request', () => {
    expect(overrideHead(head, { status: '99999', headers: null })).toMatchObject({ ok: false });
    expect(overrideHead(head, { status: '101', headers: null })).toMatchObject({ ok: false });
  });

  it('is sent as bytes of UTF-8 without control characters, under names that are tokens', () => {
    expect(headerText('فيلم')).toBe(Buffer.from('فيلم').toString('latin1'));
    expect(headerText('a\r\nInjected: b')).toBe('aInjected: b');
    expect(
      sendable([
        ['X-Good', '1'],
        ['bad name', '2'],
        ['Content-Length', '2'],
        ['', '3'],
      ]),
    ).toEqual([['X-Good', '1']]);
  });

  it('must be a number for a status', () => {
    expect(overrideHead(head, { status: 'ok', headers: null })).toMatchObject({
      error: { code: 'PGRST112' },
    });
  });
});
