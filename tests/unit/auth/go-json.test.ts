import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { field } from '../../../src/auth/call.ts';
import { decodeJson } from '../../../src/auth/go-json/decode.ts';
import { jsonSyntaxError } from '../../../src/auth/go-json/syntax.ts';

describe('a text that is not JSON is refused in the words of Go:', () => {
  it.each([
    ['', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{"a"', 'unexpected end of JSON input'],
    ['"a', 'unexpected end of JSON input'],
    ['{"a":}', "invalid character '}' looking for beginning of value"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 2}', "invalid character '2' after object key:value pair"],
    ['{"a":01}', "invalid character '1' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['nonsense', "invalid character 'o' in literal null (expecting 'u')"],
    ['tru', "invalid character ' ' in literal true (expecting 'e')"],
    ['"\u0001"', "invalid character '\\x01' in string literal"],
    ['"\n"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['-', "invalid character ' ' in numeric literal"],
    ['1.', "invalid character ' ' after decimal point in numeric literal"],
    ['1e+', "invalid character ' ' in exponent of numeric literal"],
    ['é', "invalid character 'Ã' looking for beginning of value"],
  ])('%j', (text, message) => expect(jsonSyntaxError(text)).toBe(message));

  it('every text is refused that JSON.parse refuses, and no other', () => {
    const parses = (text: string): boolean => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    const mangled = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', '{', '}', '"', ',', ':', '\\', '1', ' ', '.', '\u0002'))
      .map(([text, at, more]) => {
        const i = at % (text.length + 1);
        return text.slice(0, i) + more + text.slice(i + (more === '' ? 1 : 0));
      });
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string(), mangled), (text) => {
        expect(jsonSyntaxError(text) === null).toBe(parses(text));
      }),
    );
  });
});

describe('a body that does not fit', () => {
  const schema = z
    .object({
      email: field.text,
      create: field.flag,
      data: field.object,
      inner: z.object({ a: field.text }).nullish(),
    })
    .describe('Params');
  const refusal = (text: string): string | null => {
    const decoded = decodeJson(text, schema);
    return decoded.ok ? null : decoded.error;
  };

  it.each([
    ['[]', 'json: cannot unmarshal array into Go value of type api.Params'],
    ['"x"', 'json: cannot unmarshal string into Go value of type api.Params'],
    ['{"email":5}', 'json: cannot unmarshal number into Go struct field Params.email of type string'],
    ['{"create":"x"}', 'json: cannot unmarshal string into Go struct field Params.create of type bool'],
    [
      '{"data":[1]}',
      'json: cannot unmarshal array into Go struct field Params.data of type map[string]interface {}',
    ],
    [
      '{"inner":{"a":true}}',
      'json: cannot unmarshal bool into Go struct field Params.inner.a of type string',
    ],
    [
      '{"create":1,"email":1}',
      'json: cannot unmarshal number into Go struct field Params.create of type bool',
    ],
  ])('%s says which member, the first in the text', (text, message) => expect(refusal(text)).toBe(message));

  it.each(['null', '{}', '{"email":null,"create":null}', '{"other":5}'])('is none: %s', (text) =>
    expect(refusal(text)).toBeNull(),
  );

  it('finds members whatever their case, the last of several', () => {
    const decoded = decodeJson('{"email":"a","EMAIL":"b"}', schema);
    expect(decoded).toMatchObject({ ok: true, value: { email: 'b' } });
  });
});
