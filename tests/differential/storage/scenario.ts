import type { Target } from './target.ts';

/** Something that is done to both servers. */
export type Scenario = { readonly name: string; readonly run: (target: Target) => Promise<void> };

/** Makes a bucket as the service role, unrecorded differences aside. */
export const makeBucket = (target: Target, name: string, options: object = {}) =>
  target.ask(`make bucket ${name}`, 'POST', '/bucket', { as: 'service', body: { name, ...options } });

/** Uploads text as the service role. */
export const put = (
  target: Target,
  path: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
) =>
  target.ask(`put ${path}`, 'POST', `/object/${path}`, {
    as: 'service',
    body,
    headers: { 'content-type': 'text/plain', ...headers },
  });

/** Tokens that no server should take. */
export const badTokens = (target: Target): readonly (readonly [name: string, token: string])[] => [
  ['empty', ''],
  ['nonsense', 'nonsense'],
  ['three parts', 'a.b.c'],
  ['expired', target.sign({ role: 'service_role', exp: 1 })],
  ['another secret', target.sign({ role: 'service_role', exp: 4_000_000_000 }, 'another-secret')],
  ['unknown role', target.sign({ role: 'nobody_knows', exp: 4_000_000_000 })],
  ['no role', target.sign({ sub: 'x', exp: 4_000_000_000 })],
  ['bad exp', target.sign({ role: 'service_role', exp: 'soon' })],
  ['not yet', target.sign({ role: 'service_role', nbf: 4_000_000_000, exp: 4_000_000_001 })],
];
