import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { dumpData } from '../../../src/platform/schema/data.ts';
import { dumpRoles } from '../../../src/platform/schema/roles.ts';
import { createTestDatabase } from '../../support/database.ts';

const schema = `
  create table public.things (
    id bigint generated always as identity primary key, text text, bytes bytea, list text[], doc jsonb, price numeric,
    ratio float8, at timestamptz, span interval, yes boolean, twice numeric generated always as (price * 2) stored,
    parent bigint references public.things);
  create table public.empty (a int);
  create table public."Odd ""one" (a serial, b text);`;
const [source, target] = [await createTestDatabase(schema), await createTestDatabase(schema)];

await source.owner.exec(`
  insert into public.things (text, bytes, list, doc, price, ratio, at, span, yes, parent) values
    (E'it''s \\\\ a\\nline; -- no comment', '\\xdeadbeef', '{"a,b",null,"c\\"d"}', '{"k": [1, null]}', 12.5000, 0.1, 'infinity',
     '1 mon 2 days 03:04:05.678', true, 2),
    (null, '', '{}', 'null', 'NaN', '-infinity', '2026-01-01 12:00:00.123456+02', '-1 year', false, null);
  insert into public.things (text) select repeat('x', n) from generate_series(1, 1200) n;
  insert into public."Odd ""one" (b) values ('q');
  insert into auth.users (id, email, encrypted_password) values (gen_random_uuid(), 'ada@example.com', '$2a$10$abc');
  insert into storage.buckets (id, name) values ('files', 'files');
`);

async function dump(schemas: readonly string[] | null, excluded: readonly string[] = []): Promise<string> {
  let text = '';
  await dumpData(source.owner, { schemas, excluded }, async (part) => {
    text += part;
  });
  return text;
}

const rows = (database: typeof source) =>
  database.owner.query(sql`select to_jsonb(t) from public.things t order by id`);

describe('a dump of data', () => {
  it('loads into another database as it was, users and buckets included, sequences going on', async () => {
    await target.owner.exec(await dump(null));
    expect(await rows(target)).toEqual(await rows(source));
    const [users] = await target.owner.query(sql`select email, encrypted_password from auth.users`);
    expect(users).toEqual({ email: 'ada@example.com', encrypted_password: '$2a$10$abc' });
    expect(await target.owner.query(sql`select id from storage.buckets`)).toEqual([{ id: 'files' }]);
    const [next] = await target.owner.query(sql`insert into public.things default values returning id`);
    expect(next).toEqual({ id: '1203' });
    const [odd] = await target.owner.query(sql`insert into public."Odd ""one" default values returning a`);
    expect(odd).toEqual({ a: 2 });
  });

  it('leaves out the ledgers of the platform', async () => {
    const text = await dump(null);
    expect(text).not.toMatch(
      /INSERT INTO (auth\.schema_migrations|storage\.migrations|ownbase\.|supabase_migrations)/,
    );
  });

  it('is narrowed by schemas and by tables', async () => {
    expect(await dump(['public'])).not.toContain('auth.users');
    expect(await dump(['auth'], ['auth.users'])).not.toContain('INSERT INTO auth.users');
  });
});

describe('a dump of roles', () => {
  it('makes the roles of the project, their memberships and settings, and no others', async () => {
    const name = `dumped_${Date.now()}`;
    await source.owner.exec(
      `create role ${name} login noinherit connection limit 3; grant authenticated to ${name}; alter role ${name} set search_path = 'a, b'`,
    );
    const text = await dumpRoles(source.owner);
    await source.owner.exec(`drop role ${name}`);
    const lines = text.split('\n').filter((line) => line.includes(name));
    expect(lines).toEqual([
      `CREATE ROLE ${name} LOGIN NOINHERIT CONNECTION LIMIT 3;`,
      expect.stringMatching(`^ALTER ROLE ${name} SET search_path TO `),
      `GRANT authenticated TO ${name};`,
    ]);
    expect(text).not.toMatch(/CREATE ROLE (anon|postgres|supabase_)/);
  });
});
