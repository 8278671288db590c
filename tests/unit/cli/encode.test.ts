import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { encodeValues } from '../../../src/cli/encode.ts';
import { overrideNames } from '../../../src/cli/status-values.ts';

const values = { B_KEY: 'a "quoted" $value `x` \\ end', A_URL: 'http://127.0.0.1:54321' };

describe('values are written', () => {
  it('for a shell that evaluates them', () => {
    expect(encodeValues(values, 'env')).toBe(
      'A_URL="http://127.0.0.1:54321"\nB_KEY="a \\"quoted\\" \\$value \\`x\\` \\\\ end"\n',
    );
  });

  it('as JSON, TOML and YAML, which give the same values back', () => {
    expect(JSON.parse(encodeValues(values, 'json'))).toEqual(values);
    expect(parse(encodeValues(values, 'toml'))).toEqual(values);
    expect(encodeValues({ A: 'x' }, 'yaml')).toBe('A: "x"\n');
  });
});

describe('names are overridden', () => {
  it('by the keys of the Supabase CLI', () => {
    expect(overrideNames({ API_URL: 'u', ANON_KEY: 'k' }, ['api.url=VITE_URL'])).toEqual({
      VITE_URL: 'u',
      ANON_KEY: 'k',
    });
  });

  it.each(['api.nope=X', 'api.url', 'api.url='])('%s is refused with the known keys', (override) => {
    expect(() => overrideNames({}, [override])).toThrow('api.rest_url');
  });
});
