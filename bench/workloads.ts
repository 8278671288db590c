import { randomInt } from 'node:crypto';
import type { Fixed } from './one-sync.ts';

/** One request that the load sends, and the statement that does the same work without a planner. */
export type Workload = {
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Path under /rest/v1 with fresh parameters. */
  readonly path: () => string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: () => string;
  /** What the yardstick runs for that request, from its parameters. */
  readonly fixed: (request: { readonly query: URLSearchParams; readonly body: string }) => Fixed;
  /** Share of the ceiling's throughput that we mean to reach. */
  readonly target: number;
};

const evenBook = (): number => 2 * randomInt(1, 50_000);
const afterDot = (text: string | null): string => (text ?? '').slice((text ?? '').indexOf('.') + 1);

const wrap = (inner: string): string =>
  `with pgrst_source as (${inner}) select null::bigint, pg_catalog.count(_t), coalesce(json_agg(_t), '[]')::text,
   nullif(current_setting('response.headers', true), ''), nullif(current_setting('response.status', true), '')
   from (select * from pgrst_source) _t`;

/** The workloads of the REST bench. */
export const workloads: readonly Workload[] = [
  {
    name: 'read by key',
    method: 'GET',
    path: () => `/books?id=eq.${evenBook()}&select=id,title,price,tags,created_at`,
    fixed: ({ query }) => ({
      text: wrap('select id, title, price, tags, created_at from public.books where id = $1 limit 1000'),
      values: [afterDot(query.get('id'))],
    }),
    target: 0.6,
  },
  {
    name: 'list of 100',
    method: 'GET',
    path: () => `/books?id=gte.${randomInt(0, 90_000)}&select=id,title,price&order=id&limit=100`,
    fixed: ({ query }) => ({
      text: wrap('select id, title, price from public.books where id >= $1 order by id limit 100'),
      values: [afterDot(query.get('id'))],
    }),
    target: 0.75,
  },
  {
    name: 'two-level embed',
    method: 'GET',
    path: () =>
      `/authors?id=eq.${1 + 2 * randomInt(0, 500)}&select=id,name,books(id,title,reviews(id,stars))`,
    fixed: ({ query }) => ({
      text: wrap(`select a.id, a.name, coalesce(b.b, '[]') as books from public.authors a
        left join lateral (select json_agg(x)::jsonb as b from
          (select b.id, b.title, coalesce(r.r, '[]') as reviews from public.books b
            left join lateral (select json_agg(y)::jsonb as r from
              (select id, stars from public.reviews where book_id = b.id) y) r on true
            where b.author_id = a.id limit 1000) x) b on true
        where a.id = $1 limit 1000`),
      values: [afterDot(query.get('id'))],
    }),
    target: 0.9,
  },
  {
    name: 'count exact',
    method: 'GET',
    path: () => `/books?author_id=lte.${randomInt(10, 50)}&select=id&limit=1`,
    headers: { prefer: 'count=exact' },
    fixed: ({ query }) => ({
      text: `with pgrst_source as (select id from public.books where author_id <= $1 limit 1),
        n as (select 1 from public.books where author_id <= $1)
        select (select count(*) from n), pg_catalog.count(_t), coalesce(json_agg(_t), '[]')::text, null, null
        from (select * from pgrst_source) _t`,
      values: [afterDot(query.get('author_id'))],
    }),
    target: 0.9,
  },
  {
    name: 'insert',
    method: 'POST',
    path: () => '/events',
    body: () => JSON.stringify({ kind: `k${randomInt(100)}`, payload: { a: 1, b: [1, 2, 3] } }),
    fixed: ({ body }) => ({
      text: `with src as (insert into public.events (kind, payload)
        select kind, payload from json_to_record($1) as _(kind text, payload jsonb) returning 1)
        select '', count(*), ''::text, null, null from src`,
      values: [body],
    }),
    target: 0.65,
  },
  {
    name: 'update by key',
    method: 'PATCH',
    path: () => `/books?id=eq.${evenBook()}`,
    body: () => JSON.stringify({ price: randomInt(1, 1000) / 10 }),
    fixed: ({ query, body }) => ({
      text: `with src as (update public.books set price = j.price from json_to_record($2) as j(price numeric)
        where id = $1 returning 1) select '', count(*), ''::text, null, null from src`,
      values: [afterDot(query.get('id')), body],
    }),
    target: 0.6,
  },
  {
    name: 'rpc',
    method: 'POST',
    path: () => '/rpc/price_of',
    body: () => JSON.stringify({ book: evenBook() }),
    fixed: ({ body }) => ({
      text: `with a as (select * from json_to_record($1) as _(book int)), src as (
        select public.price_of(book := (select book from a)) as v)
        select null::bigint, 1, (select to_json(v)::text from src), null, null`,
      values: [body],
    }),
    target: 0.6,
  },
  {
    name: 'bulk insert of 1000',
    method: 'POST',
    path: () => '/events',
    body: () =>
      JSON.stringify(Array.from({ length: 1000 }, (_, i) => ({ kind: `k${i % 100}`, payload: { a: i } }))),
    fixed: ({ body }) => ({
      text: `with src as (insert into public.events (kind, payload)
        select kind, payload from json_to_recordset($1) as _(kind text, payload jsonb) returning 1)
        select '', count(*), ''::text, null, null from src`,
      values: [body],
    }),
    target: 0.85,
  },
];

/** The settings that make a transaction run as the bench's user, as the gateway sends them. */
export const envelope = (claims: string, method: string, path: string): Fixed => ({
  text: `select set_config('search_path', $1, true), set_config('request.jwt.claims', $2, true),
    set_config('request.method', $3, true), set_config('request.path', $4, true),
    set_config('request.headers', $5, true), set_config('request.cookies', $6, true), set_config('role', $7, true)`,
  values: ['"public", "extensions"', claims, method, path, '{}', '{}', 'authenticated'],
});
