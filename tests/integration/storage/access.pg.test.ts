import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { startStorage } from '../../support/storage.ts';

/*
 * Who reads what by which route: a public and a private bucket whose objects are each their owner's.
 */
const instance = await startStorage({
  connections: 2,
  fixture: `create policy own on storage.objects for select to authenticated using (owner_id = auth.uid()::text);
    create policy add on storage.objects for insert to authenticated with check (owner_id = auth.uid()::text)`,
});
const { call, serviceKey, anonKey } = instance;
const [owner, other] = [randomUUID(), randomUUID()];
const tokens = {
  nobody: undefined,
  'a bad token': 'bad',
  anon: anonKey,
  owner: await instance.userToken(owner),
  another: await instance.userToken(other),
  'the service': serviceKey,
} as const;
type Who = keyof typeof tokens;
const everybody = Object.keys(tokens) as Who[];

beforeAll(async () => {
  for (const name of ['open', 'shut']) {
    await call('POST', '/bucket', { token: serviceKey, body: { name, public: name === 'open' } });
    await call('POST', `/object/${name}/a`, { token: tokens.owner, body: 'bytes' });
  }
});

const named: readonly Who[] = ['anon', 'owner', 'another', 'the service'];
const allowed: readonly Who[] = ['owner', 'the service'];

/** For each route, who may read an object of the public and of the private bucket by it. */
const routes: readonly (readonly [
  method: string,
  route: string,
  open: readonly Who[],
  shut: readonly Who[],
])[] = [
  ['GET', 'object/public', everybody, []],
  ['HEAD', 'object/public', everybody, []],
  ['GET', 'object/info/public', everybody, []],
  ['GET', 'object', everybody, allowed],
  ['HEAD', 'object', everybody, allowed],
  ['GET', 'object/info', everybody, allowed],
  ['GET', 'object/authenticated', named, allowed],
  ['HEAD', 'object/authenticated', named, allowed],
  ['GET', 'object/info/authenticated', named, allowed],
];

describe.each(routes)('%s /%s', (method, route, open, shut) => {
  it.each([
    ['open', open],
    ['shut', shut],
  ] as const)('of the bucket that is %s is for %j', async (bucket, readers) => {
    const reads: Who[] = [];
    for (const who of everybody) {
      const answer = await call(method, `/${route}/${bucket}/a`, { token: tokens[who] });
      expect([who, [200, 400].includes(answer.status)]).toEqual([who, true]);
      if (answer.status === 200) reads.push(who);
      else expect(answer.text).not.toContain('bytes');
    }
    expect(reads).toEqual(readers);
  });
});

it('a thousand requests of many users on two connections see each what is its own', async () => {
  const users = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const id = randomUUID();
      const token = await instance.userToken(id);
      await call('POST', `/object/shut/${id}`, { token, body: 'x' });
      return { id, token };
    }),
  );
  const seen = await Promise.all(
    Array.from({ length: 1000 }, async (_, i) => {
      const { token } = users[i % users.length] ?? { token: '' };
      const answer = await call('POST', '/object/list/shut', { token, body: { prefix: '' } });
      return (answer.json() as { name: string }[]).map(({ name }) => name);
    }),
  );
  expect(seen).toEqual(Array.from({ length: 1000 }, (_, i) => [users[i % users.length]?.id]));
});
