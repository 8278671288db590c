import type { Catalog } from '../../../src/catalog/model.ts';
import { compile, type Statement } from '../../../src/pg/sql/sql.ts';
import type { RestConfig } from '../../../src/rest/config/model.ts';
import type { RestError } from '../../../src/rest/errors.ts';
import { type ApiRequest, parseRequest } from '../../../src/rest/parse/api-request.ts';
import type { ActionPlan } from '../../../src/rest/plan/model.ts';
import { planAction } from '../../../src/rest/plan/plan.ts';
import { renderStatement } from '../../../src/rest/render/statement.ts';
import { filmCatalog, plainRestConfig } from '../../support/rest-catalog.ts';

/** A request in one line, with what does not fit in it. */
export type Sketch = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly catalog?: Catalog;
  readonly config?: Partial<RestConfig>;
};

type Prepared = { readonly request: ApiRequest; readonly plan: ActionPlan };

/** Parses and plans a request, or gives the error that it ends in. */
function prepare(target: string, sketch: Sketch = {}): Prepared | RestError {
  const [path = '', ...query] = target.split('?');
  const config = { ...plainRestConfig, ...sketch.config };
  const catalog = sketch.catalog ?? filmCatalog;
  const parts = {
    method: sketch.method ?? 'GET',
    path,
    query: encodeURI(query.join('?')).replaceAll('#', '%23'),
    headers: sketch.headers ?? {},
    body: Buffer.from(sketch.body ?? ''),
  };
  const request = parseRequest(parts, config, catalog.timezones);
  if (!request.ok) return request.error;
  const plan = planAction(request.value, catalog, config);
  return plan.ok ? { request: request.value, plan: plan.value } : plan.error;
}

/** The error of a request that must have one. */
export function errorOf(target: string, sketch: Sketch = {}): RestError {
  const prepared = prepare(target, sketch);
  if ('plan' in prepared) throw new Error(`${target} has a plan`);
  return prepared;
}

/** The statement of a request. */
export function statementOf(target: string, sketch: Sketch = {}): Statement {
  const prepared = prepare(target, sketch);
  if ('code' in prepared) throw new Error(`${prepared.code}: ${prepared.message}`);
  const { plan, request } = prepared;
  if (plan.kind !== 'read' && plan.kind !== 'mutate' && plan.kind !== 'call') throw new Error('no rows');
  const maxRows = sketch.config?.maxRows ?? null;
  return compile(renderStatement(plan, { preferences: request.preferences, maxRows }));
}
