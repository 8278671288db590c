import { err, ok, type Result } from '../core/result.ts';
import { BodyAborted, BodyTooLarge, readBody } from '../http/body.ts';
import type { HttpReply, HttpRequest } from '../http/exchange.ts';
import { PgFailure } from '../pg/failure.ts';
import { compile } from '../pg/sql/sql.ts';
import type { RestContext } from './context.ts';
import { type RestError, restErrors } from './errors.ts';
import { execute } from './execute.ts';
import type { Authentication } from './jwt/authenticate.ts';
import { inspectSchema, schemaAccessStatement } from './openapi/inspect.ts';
import { type ApiRequest, parseRequest } from './parse/api-request.ts';
import { fromPgFailure } from './pg-error.ts';
import type { ActionPlan } from './plan/model.ts';
import { planAction } from './plan/plan.ts';
import { renderPreRequest } from './render/statement.ts';
import { headerText, sendable } from './respond/header-text.ts';
import {
  type Answer,
  answerDocument,
  answerError,
  answerExplained,
  answerInfo,
  answerRows,
} from './respond/reply.ts';
import { requestScope } from './scope.ts';
import { startTiming, type Timing } from './timing.ts';

const nothing = Buffer.alloc(0);

type Answered = Result<Answer, RestError>;
type Loaded = RestContext & { readonly catalog: NonNullable<RestContext['catalog']> };

/** Answers one request; whatever goes wrong becomes an answer too. */
export async function handleRequest(context: RestContext, http: HttpRequest): Promise<HttpReply> {
  const timing = context.config.serverTimingEnabled ? startTiming() : null;
  const authenticating = context.authenticate(http.authorization);
  const who = authenticating instanceof Promise ? await authenticating : authenticating;
  timing?.mark('jwt');
  if (!who.ok) return toReply(who, null);
  const { role } = who.value;
  try {
    return toReply(await answer(context, http, who.value, timing), role, timing);
  } catch (thrown) {
    return toReply(err(fromThrown(context, http, role, thrown)), role);
  }
}

/** The recipe: parse, plan, run, respond. */
async function answer(
  context: RestContext,
  http: HttpRequest,
  who: Authentication,
  timing: Timing | null,
): Promise<Answered> {
  const { catalog, config } = context;
  if (catalog === null) return err(restErrors.noSchemaCache());
  const body = hasBody(http.method) ? await readBody(http, context.maxBodyBytes) : nothing;
  const { method, path, query, headers } = http;
  const request = parseRequest({ method, path, query, headers, body }, config, catalog.timezones);
  timing?.mark('parse');
  if (!request.ok) return request;
  const plan = planAction(request.value, catalog, config);
  timing?.mark('plan');
  if (!plan.ok) return plan;
  return run({ ...context, catalog }, http, who, request.value, plan.value, timing);
}

const hasBody = (method: string): boolean => method === 'POST' || method === 'PATCH' || method === 'PUT';

async function run(
  context: Loaded,
  http: HttpRequest,
  who: Authentication,
  request: ApiRequest,
  plan: ActionPlan,
  timing: Timing | null,
): Promise<Answered> {
  const { config, db } = context;
  switch (plan.kind) {
    case 'read':
    case 'mutate':
    case 'call': {
      const scope = requestScope(plan, request, http, who, config);
      const outcome = await execute({ plan, request, scope, config, db });
      timing?.mark('transaction');
      if (!outcome.ok) return outcome;
      return outcome.value.kind === 'explained'
        ? ok(answerExplained(plan, request, outcome.value.text))
        : answerRows(plan, request, outcome.value.result);
    }
    case 'inspect':
      return inspect(context, http, who, request, plan, timing);
    default:
      timing?.mark('transaction');
      return ok(answerInfo(plan));
  }
}

/** Describes the schema as far as the request's role may see it. */
async function inspect(
  { config, catalog, db }: Loaded,
  http: HttpRequest,
  who: Authentication,
  request: ApiRequest,
  plan: Extract<ActionPlan, { readonly kind: 'inspect' }>,
  timing: Timing | null,
): Promise<Answered> {
  const before = config.preRequest === null ? [] : [compile(renderPreRequest(config.preRequest))];
  const access = compile(schemaAccessStatement(plan.schema, config.openApiMode));
  const results = await db.run(requestScope(plan, request, http, who, config), [...before, access]);
  timing?.mark('transaction');
  const accessText = results.at(-1)?.rows[0]?.[0] ?? null;
  const document = plan.headersOnly ? '' : inspectSchema(plan.schema, accessText, catalog, config);
  return ok(answerDocument(request, document, plan.headersOnly));
}

function fromThrown(context: RestContext, http: HttpRequest, role: string, thrown: unknown): RestError {
  if (thrown instanceof PgFailure) return fromPgFailure(thrown, role !== context.config.anonRole);
  if (thrown instanceof BodyTooLarge) return restErrors.bodyTooLarge(thrown.limitBytes);
  if (thrown instanceof BodyAborted) return restErrors.invalidBody('Empty or invalid json');
  const message = 'a request failed for a reason of our own';
  context.observer({ kind: 'fault', service: 'rest', message, error: thrown, requestId: http.id });
  return restErrors.internal();
}

function toReply(answered: Answered, role: string | null, timing: Timing | null = null): HttpReply {
  const { status, headers, body } = answered.ok ? answered.value : answerError(answered.error);
  const sent: Record<string, string | string[]> = {};
  for (const [name, value] of sendable(headers)) addHeader(sent, name, headerText(value));
  if (answered.ok && timing !== null) {
    timing.mark('response');
    addHeader(sent, 'Server-Timing', timing.header());
  }
  return role === null ? { status, headers: sent, body } : { status, headers: sent, body, role };
}

/** A function may set a header several times: each is sent. */
function addHeader(headers: Record<string, string | string[]>, name: string, value: string): void {
  const known = headers[name];
  if (known === undefined) headers[name] = value;
  else headers[name] = typeof known === 'string' ? [known, value] : [...known, value];
}
