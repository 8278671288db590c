import { describe, expect, it } from 'vitest';
import { toConnectionUrl } from '../../../src/rest/standalone/connection-url.ts';

describe('db-uri', () => {
  it.each([
    ['postgresql://', 'postgresql://'],
    ['postgresql://a:b@host/db?x=1', 'postgresql://a:b@host/db?x=1'],
    ['postgres://a:b%40c@/db?host=/run', 'postgres:///db?host=%2Frun&user=a&password=b%40c'],
    ['host=localhost port=5433 dbname=app user=me', 'postgresql:///app?host=localhost&port=5433&user=me'],
    [
      String.raw`user=me password='it\'s a=b' host=db dbname='my db'`,
      'postgresql:///my%20db?user=me&password=it%27s+a%3Db&host=db',
    ],
    ['dbname=app sslmode=require', 'postgresql:///app?sslmode=require'],
  ])('%s is %s', (uri, url) => {
    expect(toConnectionUrl(uri)).toBe(url);
  });
});
