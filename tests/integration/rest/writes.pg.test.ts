import { beforeAll, describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createRestApp, type RestApp } from '../../support/rest.ts';
import { filmsFixture, scenarios } from './films.ts';

let database: TestDatabase;
let rest: RestApp;
let keeping: RestApp;

beforeAll(async () => {
  database = await createTestDatabase(filmsFixture);
  // Writes are taken back unless a test is about what stays.
  rest = await createRestApp(database, { transactionEnd: { rollback: true, allowOverride: true } });
  keeping = await createRestApp(database);
});

const app = () => rest;
const represented = { prefer: 'return=representation' };
const csv = { 'content-type': 'text/csv', ...represented };
const singular = { accept: 'application/vnd.pgrst.object+json', ...represented };

describe('inserts', () => {
  scenarios(app, [
    {
      name: 'say nothing unless asked',
      request: 'POST /actors',
      body: { id: 9, name: 'Ostra' },
      status: 201,
      text: '',
      answers: { 'content-range': '*/*', location: null },
    },
    {
      name: 'say where the row is',
      request: 'POST /roles',
      headers: { prefer: 'return=headers-only' },
      body: { film_id: 3, actor_id: 1 },
      status: 201,
      text: '',
      answers: { location: '/roles?film_id=eq.3&actor_id=eq.1' },
    },
    {
      name: 'give the row, with its embeds',
      request: 'POST /films?select=id,rating,directors(name)',
      headers: represented,
      body: { id: 9, title: 'Faust', director_id: 2 },
      status: 201,
      json: [{ id: 9, rating: 5, directors: { name: 'F. W. Murnau' } }],
      answers: { 'preference-applied': 'return=representation' },
    },
    {
      name: 'of many rows at once',
      request: 'POST /actors?select=id',
      headers: { prefer: 'return=representation, count=exact' },
      body: [
        { id: 8, name: 'a' },
        { id: 9, name: 'b' },
      ],
      status: 201,
      json: [{ id: 8 }, { id: 9 }],
      answers: { 'content-range': '*/2' },
    },
    {
      name: 'of rows with different members need columns',
      request: 'POST /actors',
      body: [{ id: 8, name: 'a' }, { id: 9 }],
      status: 400,
      includes: { code: 'PGRST102', message: 'All object keys must match' },
    },
    {
      name: 'with columns take the default of what is missing when asked to',
      request: 'POST /films?columns=id,title,rating&select=id,rating',
      headers: { prefer: 'return=representation, missing=default' },
      body: [
        { id: 8, title: 'a' },
        { id: 9, title: 'b', rating: 1 },
      ],
      status: 201,
      json: [
        { id: 8, rating: 5 },
        { id: 9, rating: 1 },
      ],
      answers: { 'preference-applied': 'missing=default, return=representation' },
    },
    {
      name: 'with columns ignore other members',
      request: 'POST /actors?columns=id,name',
      headers: represented,
      body: { id: 9, name: 'a', nonsense: 1 },
      status: 201,
      json: [{ id: 9, name: 'a' }],
    },
    {
      name: 'from CSV',
      request: 'POST /actors',
      headers: csv,
      body: 'id,name\n8,"a, b"\n9,c\n',
      status: 201,
      json: [
        { id: 8, name: 'a, b' },
        { id: 9, name: 'c' },
      ],
    },
    {
      name: 'from a form',
      request: 'POST /actors',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...represented },
      body: 'id=9&name=a+b',
      status: 201,
      json: [{ id: 9, name: 'a b' }],
    },
    {
      name: 'of nothing give nothing',
      request: 'POST /actors',
      headers: represented,
      body: [],
      status: 201,
      json: [],
    },
    {
      name: 'of a row that is there are 409',
      request: 'POST /actors',
      body: { id: 1, name: 'x' },
      status: 409,
      includes: { code: '23505' },
    },
    {
      name: 'of a row that points nowhere are 409',
      request: 'POST /roles',
      body: { film_id: 99, actor_id: 1 },
      status: 409,
      includes: { code: '23503' },
    },
    {
      name: 'without what must be there are 400',
      request: 'POST /actors',
      body: { id: 9 },
      status: 400,
      includes: { code: '23502' },
    },
    {
      name: 'of one object must be of one row',
      request: 'POST /actors',
      headers: singular,
      body: [
        { id: 8, name: 'a' },
        { id: 9, name: 'b' },
      ],
      status: 406,
      includes: { code: 'PGRST116' },
    },
  ]);
});

describe('upserts', () => {
  const merge = { prefer: 'return=representation, resolution=merge-duplicates' };
  const ignore = { prefer: 'return=representation, resolution=ignore-duplicates' };
  scenarios(app, [
    {
      name: 'update what is there and insert what is not: 201',
      request: 'POST /actors',
      headers: merge,
      body: [
        { id: 1, name: 'x' },
        { id: 9, name: 'y' },
      ],
      status: 201,
      json: [
        { id: 1, name: 'x' },
        { id: 9, name: 'y' },
      ],
      answers: { 'preference-applied': 'resolution=merge-duplicates, return=representation' },
    },
    {
      name: 'that only update are 200',
      request: 'POST /actors',
      headers: merge,
      body: { id: 1, name: 'x' },
      status: 200,
    },
    {
      name: 'may leave alone what is there',
      request: 'POST /actors',
      headers: ignore,
      body: [
        { id: 1, name: 'x' },
        { id: 9, name: 'y' },
      ],
      status: 201,
      json: [{ id: 9, name: 'y' }],
    },
    {
      name: 'may meet on another unique key',
      request: 'POST /films?on_conflict=title&select=id,year',
      headers: merge,
      body: { id: 2, title: 'M', year: 1951 },
      status: 200,
      json: [{ id: 2, year: 1951 }],
    },
    {
      name: 'by PUT put one row in its place',
      request: 'PUT /actors?id=eq.9',
      headers: represented,
      body: { id: 9, name: 'z' },
      status: 201,
      json: [{ id: 9, name: 'z' }],
    },
    {
      name: 'by PUT of a row that is there are 200',
      request: 'PUT /actors?id=eq.1',
      headers: represented,
      body: { id: 1, name: 'z' },
      status: 200,
      json: [{ id: 1, name: 'z' }],
    },
    {
      name: 'by PUT of another row than the target’s are 400',
      request: 'PUT /actors?id=eq.1',
      body: { id: 2, name: 'z' },
      status: 400,
      includes: { code: 'PGRST115' },
    },
  ]);
});

describe('updates and deletes', () => {
  const strict = { prefer: 'handling=strict, max-affected=1' };
  scenarios(app, [
    {
      name: 'say nothing unless asked',
      request: 'PATCH /films?id=eq.1',
      body: { year: 1 },
      status: 204,
      text: '',
      answers: { 'content-range': '0-0/*', 'content-type': null },
    },
    {
      name: 'give the rows',
      request: 'PATCH /films?year=eq.1927&select=id,year&order=id',
      headers: { prefer: 'return=representation, count=exact' },
      body: { year: 1 },
      json: [
        { id: 1, year: 1 },
        { id: 3, year: 1 },
      ],
      answers: { 'content-range': '0-1/2' },
    },
    {
      name: 'of nothing change nothing',
      request: 'PATCH /films?select=id',
      headers: represented,
      body: {},
      json: [],
      answers: { 'content-range': '*/*' },
    },
    {
      name: 'choose their rows with logic too',
      request: 'PATCH /films?or=(id.eq.1,id.eq.2)&select=id',
      headers: represented,
      body: { year: 1 },
      json: [{ id: 1 }, { id: 2 }],
    },
    {
      name: 'of more rows than allowed are 400',
      request: 'PATCH /films?id=in.(1,2)',
      headers: strict,
      body: { year: 1 },
      status: 400,
      includes: { code: 'PGRST124', details: 'The query affects 2 rows' },
    },
    {
      name: 'of as many rows as allowed are fine',
      request: 'PATCH /films?id=eq.1',
      headers: strict,
      body: { year: 1 },
      status: 204,
      answers: { 'preference-applied': 'handling=strict, max-affected=1' },
    },
    {
      name: 'delete',
      request: 'DELETE /roles?film_id=eq.1',
      headers: { prefer: 'return=representation, count=exact' },
      json: [{ film_id: 1, actor_id: 1, character: 'Maria' }],
      answers: { 'content-range': '*/1' },
    },
    {
      name: 'delete one object or none',
      request: 'DELETE /roles',
      headers: singular,
      status: 406,
      includes: { code: 'PGRST116', details: 'The result contains 2 rows' },
    },
  ]);
});

describe('the end of a transaction', () => {
  const names = async (): Promise<string> => {
    const rows = await database.owner.query<{ name: string }>(sql`select name from teams order by id`);
    return rows.map(({ name }) => name).join();
  };
  const rename = (app: RestApp, prefer: string, name: string) =>
    app.call('PATCH', '/teams?id=eq.1', { headers: { prefer }, body: { name } });

  it('is a commit, unless the client asks for a rollback', async () => {
    const undone = await rename(keeping, 'tx=rollback, return=representation', 'Undone');
    expect(undone.json()).toEqual([{ id: 1, name: 'Undone' }]);
    expect(undone.headers['preference-applied']).toBe('return=representation, tx=rollback');
    expect(await names()).toBe('Ajax,Benfica');
    await rename(keeping, 'return=minimal', 'Kept');
    expect(await names()).toBe('Kept,Benfica');
  });

  it('is a rollback where that is configured, unless the client asks for a commit', async () => {
    await rename(rest, 'return=minimal', 'Undone');
    expect(await names()).toBe('Kept,Benfica');
    await rename(rest, 'tx=commit', 'Ajax');
    expect(await names()).toBe('Ajax,Benfica');
  });

  it('undoes a write whose result is not what was asked for', async () => {
    const headers = { accept: 'application/vnd.pgrst.object+json' };
    const answer = await keeping.call('PATCH', '/teams', { headers, body: { name: 'Both' } });
    expect(answer.status).toBe(406);
    expect(await names()).toBe('Ajax,Benfica');
  });
});

describe('row security', () => {
  const alice = { role: 'authenticated', sub: '11111111-1111-4111-8111-111111111111' };
  const bob = { role: 'authenticated', sub: '22222222-2222-4222-8222-222222222222' };

  it('decides what each caller writes and reads', async () => {
    const body = { words: 'mine' };
    expect((await keeping.call('POST', '/notes', { claims: alice, body })).status).toBe(201);
    const read = (claims: typeof alice) => keeping.call('GET', '/notes?select=words', { claims });
    expect((await read(alice)).json()).toEqual([body]);
    expect((await read(bob)).json()).toEqual([]);
    const forged = await keeping.call('POST', '/notes', { claims: bob, body: { owner: alice.sub } });
    expect(forged.status).toBe(403);
    expect((await keeping.call('POST', '/notes', { body })).status).toBe(401);
  });
});
