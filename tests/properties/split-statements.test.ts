import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lex } from '../../src/platform/migrations/lexer.ts';
import { splitStatements } from '../../src/platform/migrations/split.ts';

/** Text without anything that could close or open a quote, comment or body. */
const inner = fc.stringMatching(/^[a-z0-9 ;\n]*$/);

/** A piece of a statement that holds no end of one, although it may hold semicolons. */
const piece = fc.oneof(
  fc.constantFrom('select', 'a$b', '1', '$1', ',', '+', 'fn_atomic', 'begin x', '😀'),
  inner.map((text) => `'${text}'`),
  inner.map((text) => `E'\\'${text}\\\\'`),
  inner.map((text) => `"${text}"`),
  inner.map((text) => `$$${text}'$$`),
  inner.map((text) => `$tag$${text}$$"$tag$`),
  inner.map((text) => `/* ${text}' /* ; */ */`),
  inner.map((text) => `-- ${text.replaceAll('\n', '')}'\n`),
  inner.map((text) => `(${text})`),
  inner.map((text) => `begin atomic ${text.replaceAll(/[a-z]+/g, 'x')}; select case when 1 then 2 end; end`),
);
const statement = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => `x ${pieces.join(' ')} x`);

describe('the splitter', () => {
  it('finds the statements that were joined with semicolons', () => {
    fc.assert(
      fc.property(
        fc.array(statement, { maxLength: 5 }),
        fc.constantFrom('', '\n', ' \n\n '),
        (list, space) => {
          const script = list.map((text) => `${space}${text}${space};`).join('');
          expect(splitStatements(script).map(({ text }) => text)).toEqual(list);
        },
      ),
    );
  });

  it('says of each statement where it stands', () => {
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 5 }), (list) => {
        const script = list.join(' ;\n');
        for (const { text, offset } of splitStatements(script)) {
          expect(script.slice(offset, offset + text.length)).toBe(text);
        }
      }),
    );
  });

  it('comes to an end with any text, of which the elements are the whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'\'"$-/*\\;()a \n') }), (text) => {
        const elements = [...lex(text)].map(({ start, end }) => text.slice(start, end));
        expect(elements.join('')).toBe(text);
        splitStatements(text);
      }),
    );
  });
});
