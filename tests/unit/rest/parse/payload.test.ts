import { describe, expect, it } from 'vitest';
import { parseMediaType } from '../../../../src/rest/parse/media-type.ts';
import { type PayloadUse, parsePayload } from '../../../../src/rest/parse/payload.ts';

const parse = (type: string, body: string, use: PayloadUse = 'rows', hasColumns = false) => {
  const outcome = parsePayload(Buffer.from(body), parseMediaType(type), use, hasColumns);
  return outcome.ok ? outcome.value : outcome.error.message;
};

describe('JSON bodies', () => {
  it.each([
    ['{"a":1,"b":2}', ['a', 'b']],
    ['[{"a":1},{"a":2}]', ['a']],
    ['[]', []],
    ['5', []],
  ])('%s fills %j', (body, keys) => {
    expect(parse('application/json', body)).toMatchObject({ kind: 'json', keys });
  });

  it('pass their text on as it came', () => {
    const body = '{"n":12345678901234567890.10, "n":2}';
    expect(parse('application/json', body)).toMatchObject({ body });
  });

  it('must have the same keys in each object', () => {
    expect(parse('application/json', '[{"a":1},{"b":1}]')).toBe('All object keys must match');
    expect(parse('application/json', '[{"a":1},{"a":1,"b":1}]')).toBe('All object keys must match');
    expect(parse('application/json', '[{"a":1},5]')).toBe('All object keys must match');
  });

  it('must be JSON, unless columns are named and the database finds out', () => {
    expect(parse('application/json', '{')).toBe('Empty or invalid json');
    expect(parse('application/json', '')).toBe('Empty or invalid json');
    expect(parse('application/json', '{', 'rows', true)).toMatchObject({ kind: 'json', keys: null });
  });

  it('must be UTF-8', () => {
    const body = Buffer.from([...Buffer.from('{"a":"'), 0xff, ...Buffer.from('"}')]);
    const outcome = parsePayload(body, parseMediaType('application/json'), 'rows', false);
    expect(outcome).toMatchObject({ ok: false, error: { message: 'Empty or invalid json' } });
  });

  it('may be empty in a call', () => {
    expect(parse('application/json', '', 'call')).toMatchObject({ keys: [] });
  });
});

describe('CSV bodies', () => {
  it('become objects; NULL is null', () => {
    expect(parse('text/csv', 'a,b\n1,"x, ""y"""\r\nNULL,z\n')).toMatchObject({
      body: '[{"a":"1","b":"x, \\"y\\""},{"a":null,"b":"z"}]',
      keys: ['a', 'b'],
    });
  });

  it('must have the same number of fields in each line', () => {
    expect(parse('text/csv', 'a,b\n1,2\n3\n')).toBe('All lines must have same number of fields');
  });
});

describe('other bodies', () => {
  it('of a form are one row, or the arguments of a call', () => {
    const type = 'application/x-www-form-urlencoded';
    expect(parse(type, 'a=1&b=x+y')).toMatchObject({ kind: 'json', body: '{"a":"1","b":"x y"}' });
    expect(parse(type, 'a=1&a=2', 'call')).toEqual({
      kind: 'form',
      fields: [
        ['a', '1'],
        ['a', '2'],
      ],
    });
  });

  it('of text or bytes are for calls only', () => {
    expect(parse('text/plain', 'x', 'call')).toMatchObject({ kind: 'raw' });
    expect(parse('text/plain', 'x')).toBe('Content-Type not acceptable: text/plain');
    expect(parse('image/png', 'x', 'call')).toBe('Content-Type not acceptable: image/png');
  });
});
