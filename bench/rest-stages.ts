import { Bench } from 'tinybench';
import { compile } from '../src/pg/sql/sql.ts';
import { parseRequest, type RequestParts } from '../src/rest/parse/api-request.ts';
import { planAction } from '../src/rest/plan/plan.ts';
import { renderStatement } from '../src/rest/render/statement.ts';
import { filmCatalog, plainRestConfig } from '../tests/support/rest-catalog.ts';

/* Cost of the stages between a request's bytes and its SQL: what a request costs before the database is asked. */

const headers = { host: 'localhost', accept: '*/*' };
const get = (path: string, query: string): RequestParts => ({
  method: 'GET',
  path,
  query,
  headers,
  body: Buffer.alloc(0),
});

const requests: Readonly<Record<string, RequestParts>> = {
  'read by key': get('/films', 'id=eq.42&select=id,title'),
  'filtered list': get('/films', 'select=id,title,rating&rating=gte.5&order=rating.desc,id&limit=100'),
  'two-level embed': get(
    '/directors',
    'select=id,name,films(id,title,roles(character))&id=lt.50&films.order=title',
  ),
  'three-level embed': get(
    '/directors',
    'select=id,name,films(id,title,roles(character,actors(name)))&id=lt.50&films.order=title',
  ),
  call: get('/rpc/add_them', 'a=1&b=2'),
  insert: {
    ...get('/films', ''),
    method: 'POST',
    headers: { ...headers, prefer: 'return=minimal' },
    body: Buffer.from('{"id":1,"title":"Metropolis","director_id":3}'),
  },
};

function prepare(parts: RequestParts): string {
  const request = parseRequest(parts, plainRestConfig, filmCatalog.timezones);
  if (!request.ok) throw new Error(request.error.message);
  const plan = planAction(request.value, filmCatalog, plainRestConfig);
  if (!plan.ok) throw new Error(plan.error.message);
  if (plan.value.kind !== 'read' && plan.value.kind !== 'mutate' && plan.value.kind !== 'call') return '';
  const { preferences } = request.value;
  return compile(renderStatement(plan.value, { preferences, maxRows: null })).text;
}

const bench = new Bench({ time: 1000, warmupTime: 300 });
for (const [name, parts] of Object.entries(requests)) bench.add(name, () => prepare(parts));
await bench.run();

for (const task of bench.tasks) {
  const { result } = task;
  if (!('latency' in result)) throw new Error(`${task.name} did not run`);
  const microseconds = (ms: number): string => (ms * 1000).toFixed(1).padStart(7);
  console.log(
    `${task.name.padEnd(17)} mean ${microseconds(result.latency.mean)} us   p50 ${microseconds(result.latency.p50)} us`,
  );
}
