import { describe, expect, it } from 'vitest';
import { parseConfigFile } from '../../../../src/rest/config/file.ts';

const parse = (source: string): unknown => {
  const result = parseConfigFile(source);
  return result.ok ? Object.fromEntries(result.value) : result.error;
};

describe('a configuration file', () => {
  it('holds texts, numbers and words by name, with comments between', () => {
    const source = `
      # where
      db-uri = "postgres://a:b@host/db" # inline
      server-port = 3000
      db-plan-enabled=true
    `;
    expect(parse(source)).toEqual({
      'db-uri': 'postgres://a:b@host/db',
      'server-port': '3000',
      'db-plan-enabled': 'true',
    });
  });

  it('understands escapes in texts', () => {
    expect(parse('jwt-secret = "a\\"b\\\\c\\n\\u00e9#"')).toEqual({ 'jwt-secret': 'a"b\\c\né#' });
  });

  it('flattens groups', () => {
    expect(parse('app { settings { one = "1" } }\napp.settings.two = "2"')).toEqual({
      'app.settings.one': '1',
      'app.settings.two': '2',
    });
  });

  it('says what it does not understand', () => {
    expect(parse('db-uri "x"')).toBe('db-uri has no value');
    expect(parse('app {')).toBe('the group app is not closed');
    expect(parse('\n"unterminated')).toBe('line 2: not understood');
    expect(parse('= 3')).toBe('a name was expected instead of =');
  });
});
