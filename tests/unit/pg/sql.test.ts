import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteIdent } from '../../../src/pg/sql/ident.ts';
import { compile, isSql, type Sql, type Statement, sql } from '../../../src/pg/sql/sql.ts';

/** The statement of a piece, put together part by part. */
function spelledOut(piece: Sql): Statement {
  const values: unknown[] = [];
  const text = ({ texts, parts }: Sql): string =>
    texts
      .map((between, i) => {
        const part = parts[i];
        if (part === undefined) return between;
        return between + (isSql(part) ? text(part) : `$${values.push(part.value)}`);
      })
      .join('');
  return { text: text(piece), values };
}

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

  it('joins more pieces than stand in one template', () => {
    const names = Array.from({ length: 250 }, (_, i) => `c${i}`);
    const joined = compile(sql.join(names.map((name) => sql.ident(name))));
    expect(joined.text).toBe(names.map((name) => `"${name}"`).join(', '));
  });

  it('gives each piece its own text and values, whatever was compiled before', () => {
    const where = (tests: readonly Sql[]) => sql`where (${sql.join(tests, ' and ')})`;
    const { piece } = fc.letrec<{ piece: Sql; text: Sql }>((tie) => ({
      text: fc.oneof(
        fc.string().map((value) => sql`${value}`),
        fc.constantFrom('a', 'b', 'x"y').map((name) => sql.ident(name)),
        fc.constantFrom("it's", 'plain').map((text) => sql.literal(text)),
      ),
      piece: fc.oneof(
        { maxDepth: 4 },
        tie('text'),
        fc.tuple(tie('piece'), tie('piece')).map(([left, right]) => sql`${left} = ${right}`),
        fc.array(tie('piece'), { maxLength: 4 }).map(where),
        fc.tuple(tie('piece'), fc.integer()).map(([inner, value]) => sql`f(${inner}, ${value})`),
      ),
    }));
    fc.assert(
      fc.property(piece, (made) => {
        expect(compile(made)).toEqual(spelledOut(made));
        expect(compile(made)).toEqual(spelledOut(made));
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives the right text when more texts were kept than there is room for', () => {
    const many = (i: number) => sql`select ${sql.literal('x'.repeat(100_000) + i)}, ${i}`;
    for (let i = 0; i < 300; i++) expect(compile(many(i)).text.endsWith(`${i}', $1`)).toBe(true);
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
