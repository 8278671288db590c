import { describe, expect, it } from 'vitest';
import { toConnectionUrl } from '../../../src/rest/standalone/connection-url.ts';

describe('db-uri', () => {
  it.each([
    ['postgresql://a:b@host/db?x=1', 'postgresql://a:b@host/db?x=1'],
    ['host=localhost port=5433 dbname=app user=me', 'postgresql://me@localhost:5433/app'],
    [
      String.raw`user=me password='it\'s a=b' host=db dbname='my db'`,
      "postgresql://me:it's%20a%3Db@db/my%20db",
    ],
    ['host=/var/run/postgresql dbname=app user=me', 'postgresql://me@/app?host=%2Fvar%2Frun%2Fpostgresql'],
    ['dbname=app sslmode=require', 'postgresql:///app?sslmode=require'],
  ])('%s is %s', (uri, url) => {
    expect(toConnectionUrl(uri)).toBe(url);
  });
});
