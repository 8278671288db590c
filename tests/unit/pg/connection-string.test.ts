import { describe, expect, it } from 'vitest';
import { parseConnectionString } from '../../../src/pg/connection-string.ts';

/** What the driver is told, by name. */
const told = (url: string): Record<string, string> => {
  const { pathname, searchParams } = new URL(url);
  return { database: decodeURIComponent(pathname.slice(1)), ...Object.fromEntries(searchParams) };
};

const servers = (text: string, env: Record<string, string> = {}): Record<string, string>[] =>
  parseConnectionString(text, { PGSSLMODE: 'disable', ...env }).urls.map(told);

describe('a connection string', () => {
  it.each([
    ['postgresql://', { database: '' }],
    ['postgresql://a:b@h/db', { database: 'db', host: 'h', user: 'a', password: 'b' }],
    ['postgres://a:b%40c@/db?host=/run', { database: 'db', host: '/run', user: 'a', password: 'b@c' }],
    ['postgresql://?dbname=app&host=/run&user=me', { database: 'app', host: '/run', user: 'me' }],
    [
      'postgres://admin:?pass?@[::1]:5433/db',
      { database: 'db', host: '::1', port: '5433', user: 'admin', password: '?pass?' },
    ],
    ['host=db port=5433 dbname=app user=me', { database: 'app', host: 'db', port: '5433', user: 'me' }],
    [
      String.raw`user=me password='it\'s a=b' host=db dbname='my db'`,
      { database: 'my db', host: 'db', user: 'me', password: "it's a=b" },
    ],
    ['postgresql://h/db?application_name=a+b%20c', { database: 'db', host: 'h', application_name: 'a+b c' }],
  ])('%s names one server', (text, parts) => {
    expect(servers(text)).toEqual([{ ...parts, ssl: '0' }]);
  });

  it('takes what it does not say from the variables of libpq', () => {
    const env = { PGHOST: '/run', PGPORT: '6000', PGDATABASE: 'other' };
    expect(servers('dbname=app', env)).toEqual([{ database: 'app', host: '/run', port: '6000', ssl: '0' }]);
  });

  it('names one server for each host, each with its port or with the only one', () => {
    expect(servers('postgresql://a:1,b:2/db')).toMatchObject([
      { host: 'a', port: '1' },
      { host: 'b', port: '2' },
    ]);
    expect(servers('host=a,b port=7 dbname=db')).toMatchObject([
      { host: 'a', port: '7' },
      { host: 'b', port: '7' },
    ]);
  });

  it('says which kind of server it wants', () => {
    expect(parseConnectionString('host=a,b target_session_attrs=read-write', {})).toMatchObject({
      hostCount: 2,
      kind: 'read-write',
    });
    expect(parseConnectionString('host=a target_session_attrs=nonsense', {}).kind).toBe('any');
  });

  it.each([
    ['postgresql://db.example.com/a', ['require', null]],
    ['postgresql://localhost/a', [null, 'require']],
    ['postgresql://db.example.com/a?sslmode=allow', [null, 'require']],
    ['postgresql://db.example.com/a?sslmode=disable', [null]],
    ['postgresql://db.example.com/a?sslmode=verify-full', ['verify-full']],
    ['postgresql://?host=/run&sslmode=require', [null]],
  ])('%s is tried with TLS as %j', (text, modes) => {
    const tried = parseConnectionString(text, {}).urls.map((url) => new URL(url).searchParams.get('sslmode'));
    expect(tried).toEqual(modes);
  });
});
