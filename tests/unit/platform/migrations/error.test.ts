import { describe, expect, it } from 'vitest';
import { PgFailure } from '../../../../src/pg/failure.ts';
import { markError, statementFailed } from '../../../../src/platform/migrations/error.ts';
import { splitStatements } from '../../../../src/platform/migrations/split.ts';

const failure = (message: string, position: number | null): PgFailure =>
  new PgFailure({
    kind: 'server',
    sqlstate: '42703',
    message,
    position,
    detail: null,
    hint: null,
    where: null,
    schema: null,
    table: null,
    column: null,
    constraint: null,
    routine: null,
  });

describe('the place of an error is shown', () => {
  it('by a caret under the character that Postgres names, and nothing after its line', () => {
    expect(markError('select a,\n  nope\nfrom t', 13)).toBe('select a,\n  nope\n  ^');
  });

  it('with tabs and characters beyond the basic plane in line', () => {
    expect(markError("\t'😀' nope", 6)).toBe("\t'😀' nope\n\t    ^");
  });

  it('by the whole statement when Postgres names no character', () => {
    expect(markError('select 1\n/ 0', null)).toBe('select 1\n/ 0');
  });

  it('without the lines far from it', () => {
    const statement = `${'x\n'.repeat(50)}nope`;
    const shown = markError(statement, 101).split('\n');
    expect(shown).toHaveLength(22);
    expect([shown[0], ...shown.slice(-2)]).toEqual(['...', 'nope', '^']);
  });

  it('with file, line of the file and number of the statement', () => {
    const script = 'select 1;\n\nselect a,\n  nope\nfrom t;';
    const error = statementFailed({
      file: 'supabase/migrations/1_a.sql',
      script,
      statements: splitStatements(script),
      index: 1,
      failure: failure('column "nope" does not exist', 13),
      notes: [],
    });
    expect(error.message).toBe(
      [
        'supabase/migrations/1_a.sql:4',
        'ERROR: column "nope" does not exist (SQLSTATE 42703)',
        'At statement: 1',
        'select a,',
        '  nope',
        '  ^',
      ].join('\n'),
    );
    expect(error).toMatchObject({ file: 'supabase/migrations/1_a.sql', line: 4, sqlstate: '42703' });
  });
});
