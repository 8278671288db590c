import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPool } from '../../src/pg/pool.ts';
import { createServiceDb, type ServiceDb } from '../../src/pg/session.ts';
import { sql } from '../../src/pg/sql/sql.ts';
import { createTestDatabase } from '../support/database.ts';

/*
 * What the SQL template promises, held against Postgres itself: any text comes back as it went in, whether it stood
 * for a value or for an identifier.
 */
let db: ServiceDb;
beforeAll(async () => {
  const database = await createTestDatabase();
  const pool = createPool({
    url: database.url('supabase_auth_admin'),
    max: 1,
    acquireTimeoutMs: 5000,
    idleTimeoutMs: 10_000,
    applicationName: 'test',
  });
  db = createServiceDb(pool);
  afterAll(() => pool.end());
});

/** Text that Postgres can hold: no NUL and no half of a surrogate pair, with the characters that quoting is about. */
const text = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({
      unit: fc.constantFrom('"', "'", '\\', '$', '$1', '--', '/*', ';', '{', '}', ',', 'é', '\n', 'NULL'),
      maxLength: 12,
    }),
  )
  .filter((value) => !value.includes('\0') && value.isWellFormed());

const identifier = text.filter((value) => value !== '' && Buffer.byteLength(value) <= 63);

describe('the sql template, against Postgres', () => {
  it('sends any text as a value and gets the same text back', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        const [row] = await db.query(sql`select ${value}::text as back`);
        expect(row).toEqual({ back: value });
      }),
      { numRuns: 300 },
    );
  });

  it('uses any name as an identifier and finds exactly that name', async () => {
    await fc.assert(
      fc.asyncProperty(identifier, async (name) => {
        const rows = await db.query(sql`select 1 as ${sql.ident(name)}`);
        expect(Object.keys(rows[0] ?? {})).toEqual([name]);
      }),
      { numRuns: 300 },
    );
  });

  it('sends any array of texts and nulls and gets the same array back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(text), { maxLength: 6 }), async (items) => {
        const [row] = await db.query(sql`select to_json(${items}::text[]) as back`);
        expect(row).toEqual({ back: items });
      }),
      { numRuns: 200 },
    );
  });
});
