import { describe, expect, it } from 'vitest';
import { splitStatements } from '../../../../src/platform/migrations/split.ts';

const texts = (script: string): string[] => splitStatements(script).map(({ text }) => text);

describe('a script is split into statements', () => {
  const cases: readonly (readonly [name: string, script: string, expected: readonly string[]])[] = [
    ['at semicolons, which are dropped', 'select 1; select 2 ;', ['select 1', 'select 2']],
    ['without an end of its own for the last one', 'select 1;\nselect 2', ['select 1', 'select 2']],
    ['and empty ones are left out', ';;  ;\n;select 1;;', ['select 1']],
    [
      'with the comments before and in them',
      '-- a;\nselect /* ; */ 1; -- b',
      ['-- a;\nselect /* ; */ 1', '-- b'],
    ],
    ['around nested comments', 'select /* a /* ; */ ; */ 1; x', ['select /* a /* ; */ ; */ 1', 'x']],
    ['not in strings', "select ';'';'; select 'it''s;'", ["select ';'';'", "select 'it''s;'"]],
    ['not at a backslash in a plain string', "select '\\'; select 2", ["select '\\'", 'select 2']],
    ['not in escape strings', "select E'\\';'; select 2", ["select E'\\';'", 'select 2']],
    ['not in quoted names', 'select ";"";"; x', ['select ";"";"', 'x']],
    ['not in dollar quotes', 'do $$ a; b $$; do $t$ a; $$ b; $t$', ['do $$ a; b $$', 'do $t$ a; $$ b; $t$']],
    ['and a dollar in a name opens no quote', 'select a$b$; select c$b$', ['select a$b$', 'select c$b$']],
    ['and a parameter opens no quote', 'select $1; select $2', ['select $1', 'select $2']],
    [
      'not in parentheses',
      'create rule r as on update to t do (notify t; select 1); select 2',
      ['create rule r as on update to t do (notify t; select 1)', 'select 2'],
    ],
    [
      'not in the body of a SQL function',
      'create function f() returns int begin atomic select 1; select case when true then 1 end; end; select 2',
      [
        'create function f() returns int begin atomic select 1; select case when true then 1 end; end',
        'select 2',
      ],
    ],
    [
      'and a name with "atomic" in it opens no body',
      'create function fn_atomic() x; y',
      ['create function fn_atomic() x', 'y'],
    ],
    ['and a transaction block is no body', 'begin; select 1; end; x', ['begin', 'select 1', 'end', 'x']],
    [
      'without the commands of psql',
      '-- dump\n\\restrict abc\nset a = 1;\n\\unrestrict abc\n',
      ['set a = 1'],
    ],
    ['and an escaped semicolon ends none', 'select 1 \\; select 2; x', ['select 1 \\; select 2', 'x']],
    ['with what is not closed reaching to the end', "select 'a; b", ["select 'a; b"]],
  ];
  it.each(cases)('%s', (_name, script, expected) => {
    expect(texts(script)).toEqual(expected);
  });

  it('with the place of each in the file', () => {
    const script = '\n  select 1;\n\n-- two\nselect 2;';
    const places = splitStatements(script).map(({ text, offset }) => [
      offset,
      script.startsWith(text, offset),
    ]);
    expect(places).toEqual([
      [3, true],
      [14, true],
    ]);
  });

  it('of a hundred thousand rows without trouble', () => {
    const script = `insert into t values ${"('it''s', E'\\\\', \"a\"),".repeat(100_000)} (1); select 2`;
    expect(splitStatements(script)).toHaveLength(2);
  });
});
