import { describe, expect, it } from 'vitest';
import { quoteIdent } from '../../../src/pg/sql/ident.ts';
import { compile, sql } from '../../../src/pg/sql/sql.ts';

describe('the sql template', () => {
  it('binds every value and numbers the binds in order of appearance', () => {
    const inner = sql`b = ${2}`;
    expect(compile(sql`select ${1} where ${inner} and c = ${'x'}`)).toEqual({
      text: 'select $1 where b = $2 and c = $3',
      values: [1, 2, 'x'],
    });
  });

  it('never lets text from a hole become SQL', () => {
    const hostile = "'; drop table users; --";
    expect(compile(sql`select * from t where a = ${hostile}`)).toEqual({
      text: 'select * from t where a = $1',
      values: [hostile],
    });
  });

  it('does not take an object that only looks like a piece of SQL', () => {
    const forged = { texts: ['drop table users'], parts: [] } as unknown as string;
    expect(compile(sql`select ${forged}`).text).toBe('select $1');
  });

  it('quotes each part of a dotted identifier', () => {
    expect(compile(sql`select * from ${sql.ident('my"schema', 'table')}`).text).toBe(
      'select * from "my""schema"."table"',
    );
  });

  it('joins pieces, and joins nothing to nothing', () => {
    expect(compile(sql.join([sql`a = ${1}`, sql`b = ${2}`], ' and '))).toEqual({
      text: 'a = $1 and b = $2',
      values: [1, 2],
    });
    expect(compile(sql.join([])).text).toBe('');
    expect(compile(sql.join([sql`a`, sql`b`, sql`c`], sql` union `)).text).toBe('a union b union c');
  });

  it('gives the same text for the same piece, so that a prepared statement is found again', () => {
    const build = (id: number) => compile(sql`select * from ${sql.ident('t')} where id = ${id}`).text;
    expect(build(1)).toBe(build(2));
  });
});

describe('an identifier', () => {
  it('keeps its quotes doubled', () => {
    expect(quoteIdent('a"b')).toBe('"a""b"');
  });

  it('is refused with a NUL, where the protocol would cut the text', () => {
    expect(() => quoteIdent('a\0b')).toThrow(RangeError);
  });
});
