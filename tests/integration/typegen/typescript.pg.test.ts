import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../../src/pg/connect.ts';
import { introspectTypes } from '../../../src/typegen/introspect.ts';
import type { Introspection } from '../../../src/typegen/model.ts';
import { generateTypeScript } from '../../../src/typegen/typescript.ts';
import { createTestDatabase } from '../../support/database.ts';

const fixture = (name: string): Promise<string> =>
  readFile(new URL(`../../fixtures/typegen/${name}`, import.meta.url), 'utf8');

/*
 * `database.types.txt` is what postgres-meta, the generator behind the Supabase CLI, prints for `schema.sql`: that
 * text and the empty line at its end are the contract.
 */
let database: Introspection;

beforeAll(async () => {
  const { url } = await createTestDatabase(await fixture('schema.sql'));
  const client = await connect(url('postgres'));
  database = await introspectTypes(client, ['public', 'inner_schema', 'nowhere']);
  await client.end();
});

describe('generated types', () => {
  it('are those of upstream, byte for byte', async () => {
    const types = await generateTypeScript(database, { detectOneToOne: true });
    expect(`${types}\n`).toBe(await fixture('database.types.txt'));
  });

  it('say nothing of one-to-one relationships to old clients', async () => {
    const types = await generateTypeScript(database, { detectOneToOne: false });
    const expected = (await fixture('database.types.txt')).replaceAll(
      /^ +isOneToOne: (true|false)\n(?= +referenced)/gm,
      '',
    );
    expect(`${types}\n`).toBe(expected);
  });

  it('leave out a schema that does not exist', () => {
    expect([...database.schemas].sort()).toEqual(['inner_schema', 'public']);
  });
});
