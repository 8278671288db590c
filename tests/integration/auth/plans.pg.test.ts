import { expect, it } from 'vitest';
import { findIdentity } from '../../../src/auth/store/identities.ts';
import { lockUserByToken } from '../../../src/auth/store/one-time-tokens.ts';
import { readPrincipal } from '../../../src/auth/store/principal.ts';
import { readCounterState, readShortState, revokeFamily } from '../../../src/auth/store/refresh.ts';
import { findSessions } from '../../../src/auth/store/sessions.ts';
import {
  findDuplicateEmail,
  findUserByEmail,
  findUserByPhone,
  type Queryable,
} from '../../../src/auth/store/users.ts';
import { compile, sql } from '../../../src/pg/sql/sql.ts';
import { createTestDatabase } from '../../support/database.ts';

const database = await createTestDatabase();
const id = '11111111-2222-4333-8444-555555555555';

/** Tables that a statement would read from end to end, were that only forbidden where there is another way. */
async function scannedBy(run: (db: Queryable) => Promise<unknown>): Promise<string[]> {
  const scanned: string[] = [];
  const query = async <Row>(statement: Parameters<Queryable['query']>[0]): Promise<Row[]> => {
    const { text, values } = compile(statement);
    const nulls = values.length === 0 ? '' : `(${values.map(() => 'null').join(', ')})`;
    await database.owner.exec(`set enable_seqscan = off; set plan_cache_mode = force_generic_plan;
      deallocate all; prepare asked as ${text}`);
    const plan = await database.owner.query<{ 'QUERY PLAN': string }>({
      text: `explain execute asked ${nulls}`,
      values: [],
    });
    for (const { 'QUERY PLAN': line } of plan) {
      const [, table] = /Seq Scan on (?:auth\.)?(\w+)/.exec(line) ?? [];
      if (table !== undefined) scanned.push(table);
    }
    return [];
  };
  await run({ query });
  return scanned;
}

it.each<[string, (db: Queryable) => Promise<unknown>]>([
  ['the user of a token', (db) => readPrincipal(db, id, id)],
  ['a refresh token of the short form', (db) => readShortState(db, 'abcdefghijkl')],
  ['a refresh token of the counter form', (db) => readCounterState(db, id)],
  ['the user of an address', (db) => findUserByEmail(db, 'ann@example.com', 'authenticated')],
  ['the user of a number', (db) => findUserByPhone(db, '15551234567', 'authenticated')],
  ['whoever has an address', (db) => findDuplicateEmail(db, 'ann@example.com', 'authenticated', null, [])],
  ['the account at a provider', (db) => findIdentity(db, '1', 'github')],
  ['the sessions of a user', (db) => findSessions(db, id)],
  ['the tokens of a session', (db) => revokeFamily(db, id, new Date().toISOString())],
  ['the user of a link', (db) => lockUserByToken(db as never, ['x'], ['recovery_token'])],
])('%s is found without reading a whole table', async (_, run) => {
  expect(await scannedBy(run)).toEqual([]);
});

it('a whole table is noticed', async () => {
  expect(await scannedBy((db) => db.query(sql`select from auth.users where role = ${'x'}`))).toEqual([
    'users',
  ]);
});
