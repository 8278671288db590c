import { describe, expect, it } from 'vitest';
import { statementOf } from '../prepare.ts';

/** The query inside the statement of a read. */
const query = (target: string): string =>
  /^WITH pgrst_source AS \( (.*) \) SELECT null/.exec(statementOf(target).text)?.[1] ?? '';

const films = '"public"."films"';

describe('reads', () => {
  it.each([
    ['a plain select', '/films?select=id,title', `SELECT ${films}."id", ${films}."title" FROM ${films}`],
    ['everything', '/films', `SELECT ${films}.* FROM ${films}`],
    [
      'an alias and a cast',
      '/films?select=n:id::text',
      `SELECT CAST( ${films}."id" AS text ) AS "n" FROM ${films}`,
    ],
    [
      'a JSON path, named by its last key',
      '/films?select=facts->a->>b',
      `SELECT ${films}."facts"->$1->>$2 AS "b" FROM ${films}`,
    ],
    [
      'a path into a column that is not JSON',
      '/films?select=title->0',
      `SELECT to_jsonb(${films}."title")->$1::int AS "title" FROM ${films}`,
    ],
    [
      'an aggregate groups by the rest',
      '/films?select=director_id,rating.avg()',
      `SELECT ${films}."director_id", AVG(${films}."rating") FROM ${films} GROUP BY ${films}."director_id"`,
    ],
    [
      'conditions, all of them binds',
      '/films?select=id&id=gte.5&title=like.a*&or=(rating.is.null,rating.not.in.(1,2))',
      `SELECT ${films}."id" FROM ${films} WHERE (${films}."rating" IS NULL or NOT ${films}."rating" = ANY ($1)) and ${films}."id" >= $2 and ${films}."title" like $3`,
    ],
    [
      'full-text search makes a vector of what is none',
      '/films?select=id&title=fts(english).cat&words=plfts.cat',
      `SELECT ${films}."id" FROM ${films} WHERE to_tsvector($1, ${films}."title") @@ to_tsquery($2, $3) and ${films}."words" @@ plainto_tsquery($4)`,
    ],
    [
      'order, limit and offset',
      '/films?select=id&order=title.desc.nullslast,id&limit=5&offset=10',
      `SELECT ${films}."id" FROM ${films} ORDER BY ${films}."title" DESC NULLS LAST, ${films}."id" LIMIT 5 OFFSET $1`,
    ],
    [
      'a to-one embed',
      '/films?select=directors(name)',
      `SELECT to_jsonb("films_directors_1".*) AS "directors" FROM ${films} LEFT JOIN LATERAL ( SELECT "directors_1"."name" FROM "public"."directors" AS "directors_1" WHERE "directors_1"."id" = ${films}."director_id" ) AS "films_directors_1" ON TRUE`,
    ],
    [
      'an inner to-many embed',
      '/directors?select=films!inner(id)',
      `SELECT COALESCE( "directors_films_1"."directors_films_1", '[]') AS "films" FROM "public"."directors" INNER JOIN LATERAL ( SELECT jsonb_agg("directors_films_1") AS "directors_films_1" FROM (SELECT "films_1"."id" FROM ${films} AS "films_1" WHERE "films_1"."director_id" = "public"."directors"."id" ) AS "directors_films_1" ) AS "directors_films_1" ON "directors_films_1" IS NOT NULL`,
    ],
    [
      'a many-to-many embed stands beside its junction',
      '/films?select=actors(name)',
      `SELECT COALESCE( "films_actors_1"."films_actors_1", '[]') AS "actors" FROM ${films} LEFT JOIN LATERAL ( SELECT jsonb_agg("films_actors_1") AS "films_actors_1" FROM (SELECT "public"."actors"."name" FROM "public"."actors", "public"."roles" WHERE "public"."roles"."actor_id" = "public"."actors"."id" and "public"."roles"."film_id" = ${films}."id" ) AS "films_actors_1" ) AS "films_actors_1" ON TRUE`,
    ],
    [
      'a spread embed, ordered by',
      '/films?select=id,...directors(director:name)&order=directors(name)',
      `SELECT ${films}."id", "films_directors_1"."director" FROM ${films} LEFT JOIN LATERAL ( SELECT "directors_1"."name" AS "director" FROM "public"."directors" AS "directors_1" WHERE "directors_1"."id" = ${films}."director_id" ) AS "films_directors_1" ON TRUE ORDER BY "films_directors_1"."name"`,
    ],
    [
      'a test of an empty embed',
      '/films?select=id,directors()&directors=is.null',
      `SELECT ${films}."id" FROM ${films} LEFT JOIN LATERAL ( SELECT "directors_1".* FROM "public"."directors" AS "directors_1" WHERE "directors_1"."id" = ${films}."director_id" ) AS "films_directors_1" ON TRUE WHERE "films_directors_1" IS NOT DISTINCT FROM NULL`,
    ],
  ])('%s', (_, target, text) => {
    expect(query(target)).toBe(text);
  });

  it('have one text for every page and every value', () => {
    const first = statementOf('/films?id=eq.1&limit=10&offset=10');
    const second = statementOf("/films?id=eq.' or true --&limit=10&offset=40");
    expect(second.text).toBe(first.text);
    expect(second.values).toEqual(["' or true --", '40']);
  });

  it('limit every list to the most rows, but no embed that is one row at most', () => {
    const { text } = statementOf('/films?select=directors(name),roles(character)', {
      config: { maxRows: 100 },
    });
    expect(text.match(/LIMIT 100/g)).toHaveLength(2);
    expect(text).toContain('"directors_1"."id" = "public"."films"."director_id" ) AS "films_directors_1"');
  });

  it('bind limits of unusual sizes and leave out an offset of nothing', () => {
    const { text, values } = statementOf('/films?limit=17&offset=0');
    expect(text).toContain(`FROM ${films} LIMIT $1 )`);
    expect(values).toEqual(['17']);
  });

  it('count what they would find without their limit', () => {
    const { text } = statementOf('/directors?select=id,films!inner(id)&id=gt.1&limit=1', {
      headers: { prefer: 'count=exact' },
    });
    expect(text).toContain(
      ', pgrst_source_count AS (SELECT 1 FROM "public"."directors" WHERE "public"."directors"."id" > $',
    );
    expect(text).toContain('EXISTS (SELECT 1 FROM "public"."films" AS "films_1" WHERE');
  });
});

describe('writes', () => {
  const represented = { prefer: 'return=representation' };

  it('an insert names the columns of its body', () => {
    const { text, values } = statementOf('/films', { method: 'POST', body: '{"title":"M","id":1}' });
    expect(text).toContain(
      'INSERT INTO "public"."films"("id", "title") SELECT "pgrst_body"."id", "pgrst_body"."title" FROM (SELECT $1::json AS json_data) pgrst_payload, LATERAL (SELECT "id", "title" FROM json_to_record(pgrst_payload.json_data) AS _("id" bigint, "title" text)) pgrst_body RETURNING 1',
    );
    expect(values).toEqual(['{"title":"M","id":1}']);
  });

  it('an upsert updates what is there and counts what was not', () => {
    const { text } = statementOf('/films?on_conflict=title', {
      method: 'POST',
      body: '[{"id":1,"title":"M"}]',
      headers: { prefer: 'resolution=merge-duplicates' },
    });
    expect(text).toContain(
      'ON CONFLICT("title") DO UPDATE SET "id" = EXCLUDED."id", "title" = EXCLUDED."title" WHERE',
    );
    expect(text).toContain("nullif(current_setting('pgrst.inserted', true), '')::int AS response_inserted");
  });

  it('a returning write hands on keys and what its embeds join by', () => {
    const { text } = statementOf('/films?id=eq.1&select=title,directors(name)', {
      method: 'PATCH',
      body: '{"title":"M"}',
      headers: represented,
    });
    expect(text).toContain(
      'UPDATE "public"."films" SET "title" = "pgrst_body"."title" FROM (SELECT $1::json AS json_data)',
    );
    expect(text).toContain(
      'WHERE "public"."films"."id" = $2 RETURNING "public"."films"."director_id", "public"."films"."id", "public"."films"."title"',
    );
  });

  it('an update of nothing is a query without rows', () => {
    const { text } = statementOf('/films', { method: 'PATCH', body: '{}' });
    expect(text).toContain('(SELECT NULL FROM "public"."films" WHERE false)');
  });

  it('a delete returns a constant for each row that nobody wants to see', () => {
    const { text } = statementOf('/films?id=eq.1', { method: 'DELETE' });
    expect(text).toContain('(DELETE FROM "public"."films" WHERE "public"."films"."id" = $1 RETURNING 1)');
  });
});

describe('calls', () => {
  it('by GET bind each argument with its type', () => {
    const { text, values } = statementOf('/rpc/add_them?b=2&a=1');
    expect(text).toContain(
      'SELECT pgrst_call.pgrst_scalar FROM (SELECT "public"."add_them"("a" := $1::integer, "b" := $2::integer) pgrst_scalar) pgrst_call',
    );
    expect(values).toEqual(['1', '2']);
  });

  it('by POST read the arguments from one JSON object', () => {
    const { text } = statementOf('/rpc/add_them', { method: 'POST', body: '{"a":1,"b":2}' });
    expect(text).toContain(
      'LATERAL (SELECT "a", "b" FROM json_to_record(pgrst_payload.json_data) AS _("a" integer, "b" integer) LIMIT 1) pgrst_body, LATERAL (SELECT "public"."add_them"("a" := pgrst_body."a", "b" := pgrst_body."b") pgrst_scalar) pgrst_call',
    );
  });

  it('hand a whole body to the one unnamed parameter', () => {
    const { text, values } = statementOf('/rpc/take_json', { method: 'POST', body: '{"x":1}' });
    expect(text).toContain('"public"."take_json"($1::json)');
    expect(values).toEqual(['{"x":1}']);
  });

  it('of rows select and filter like a relation', () => {
    const { text } = statementOf('/rpc/best_films?minimum=5&select=title&title=eq.M');
    expect(text).toContain(
      'SELECT "pgrst_call"."title" FROM "public"."best_films"("minimum" := $1::numeric) pgrst_call',
    );
    expect(text).toContain('FROM "pgrst_source" AS "films" WHERE "films"."title" = $2');
  });
});
