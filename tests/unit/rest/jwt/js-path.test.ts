import { describe, expect, it } from 'vitest';
import { parseJsPath, walkJsPath } from '../../../../src/rest/jwt/js-path.ts';

const claims = {
  role: 'user',
  'https://app/roles': ['admin', 'editor', 'guest'],
  app: { meta: [{ name: 'first' }, { name: 'second' }] },
};

const find = (path: string): unknown => {
  const parsed = parseJsPath(path);
  if (!parsed.ok) throw new Error(parsed.error);
  return walkJsPath(claims, parsed.value);
};

describe('a claim path', () => {
  it.each([
    ['.role', 'user'],
    ['."https://app/roles"[1]', 'editor'],
    ['.app.meta[1].name', 'second'],
    ['."https://app/roles"[?(@ == "guest")]', 'guest'],
    ['."https://app/roles"[?(@ != "admin")]', 'editor'],
    ['."https://app/roles"[?(@ ^== "ed")]', 'editor'],
    ['."https://app/roles"[?(@ ==^ "est")]', 'guest'],
    ['."https://app/roles"[?(@ *== "dmi")]', 'admin'],
    ['.nothing', undefined],
    ['.role.deeper', undefined],
    ['.toString', undefined],
    ['.app.meta[7]', undefined],
  ])('%s leads to %s', (path, value) => {
    expect(find(path)).toBe(value);
  });

  it.each(['', 'role', '.', '.role[', '.roles[?(@ == "a")].more', '.roles[?(@ ~ "a")]'])(
    'refuses %s',
    (path) => {
      expect(parseJsPath(path).ok).toBe(false);
    },
  );
});
