import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor, Expectation, FormPart, RequestStep } from '../cases/model.ts';
import type { StepRecord } from '../result.ts';
import { exchange, type HttpAnswer, type HttpRequest, shownBody, withoutSecrets } from './http.ts';
import {
  type Mismatch,
  mismatches,
  missingElements,
  savedValue,
  unorderedMismatches,
  valueAt,
} from './match.ts';
import { addressOf, keyHeaders, tokenHeaders } from './target.ts';
import { fill, fillString, type Variables } from './template.ts';
import type { World } from './world.ts';

/** Sends the request of a step, compares the answer, and sets the variables that the step saves. */
export async function runRequest(
  step: RequestStep,
  world: World,
  variables: Map<string, unknown>,
): Promise<StepRecord> {
  const started = performance.now();
  const path = fillString(step.path, variables);
  const request = await buildRequest(step, path, world, variables);
  const deadline = started + world.patienceMs;
  for (;;) {
    const answer = await exchange(request, world.signal);
    const found = answerMismatches(filledExpectation(step.expect, variables), answer);
    if (found.length > 0 && step.eventually && performance.now() < deadline) {
      await sleep(100, undefined, { signal: world.signal });
      continue;
    }
    noteMadeUser(path, answer, world);
    for (const [name, path] of Object.entries(step.save)) {
      variables.set(name, savedValue({ ...answer, body: answer.json }, path));
    }
    const ms = performance.now() - started;
    const isShared = step.expect.includes !== undefined;
    return { ...recordOf(request, answer, path), mismatches: found, isShared, ms };
  }
}

async function buildRequest(
  step: RequestStep,
  path: string,
  world: World,
  variables: Variables,
): Promise<HttpRequest> {
  const own = Object.fromEntries(
    Object.entries(fill(step.headers, variables) as Record<string, unknown>).map(([name, value]) => [
      name.toLowerCase(),
      String(value),
    ]),
  );
  const json = step.json === undefined ? {} : { 'content-type': 'application/json' };
  const headers = { ...(await actorHeaders(step.as, world, variables)), ...json, ...own };
  const url = /^https?:/.test(path) ? path : addressOf(world.target, path);
  return { method: step.method, url, headers, body: bodyOf(step, variables) };
}

/** The headers of who asks: a key, a person of the cast, or a token that a step saved. */
async function actorHeaders(
  actor: Actor,
  world: World,
  variables: Variables,
): Promise<Record<string, string>> {
  if (actor === 'none') return {};
  if (actor === 'anon' || actor === 'service') return keyHeaders(world.target, actor);
  if (actor.startsWith('$')) return tokenHeaders(world.target, fillString(actor, variables));
  return tokenHeaders(world.target, (await world.cast(actor)).token);
}

function bodyOf(step: RequestStep, variables: Variables): HttpRequest['body'] {
  if (step.bytes !== undefined) return new Uint8Array(Buffer.from(step.bytes, 'base64'));
  if (step.form !== undefined) return formOf(step.form, variables);
  if (step.text !== undefined) return fillString(step.text, variables);
  return step.json === undefined ? null : JSON.stringify(fill(step.json, variables));
}

function formOf(parts: readonly FormPart[], variables: Variables): FormData {
  const form = new FormData();
  for (const { name, value, file, type } of parts) {
    const text = fillString(value, variables);
    if (file === undefined) form.append(name, text);
    else form.append(name, new Blob([text], { type: type ?? 'application/octet-stream' }), file);
  }
  return form;
}

const filledExpectation = (expect: Expectation, variables: Variables): Expectation =>
  fill(expect, variables) as Expectation;

/** Everything in which an answer differs from what a step expects. */
function answerMismatches(expect: Expectation, answer: HttpAnswer): Mismatch[] {
  const { status, headers = {}, body, match, includes, unordered = false, text } = expect;
  const compare = unordered ? unorderedMismatches : mismatches;
  const statuses = typeof status === 'number' ? [status] : status;
  const below = (name: string, list: readonly Mismatch[]): Mismatch[] =>
    list.map((one) => ({
      ...one,
      at: one.at === '' || one.at.startsWith('[') ? name + one.at : `${name}.${one.at}`,
    }));
  return [
    ...(statuses === undefined || statuses.includes(answer.status)
      ? []
      : [{ at: 'status', expected: status, actual: answer.status }]),
    ...Object.entries(headers).flatMap(([name, value]) =>
      below(
        `headers.${name}`,
        mismatches(
          typeof value === 'number' ? String(value) : value,
          answer.headers[name.toLowerCase()],
          'exact',
        ),
      ),
    ),
    ...(body === undefined ? [] : below('body', compare(body, shown(answer), 'exact'))),
    ...(match === undefined ? [] : below('body', compare(match, shown(answer), 'subset'))),
    ...(includes === undefined ? [] : below('body', missingElements(includes, shown(answer)))),
    ...(text === undefined ? [] : below('text', mismatches(text, answer.text, 'exact'))),
  ];
}

/** The parsed body; when it is no JSON its text, so that a failure shows it. */
const shown = (answer: HttpAnswer): unknown => (answer.json === undefined ? answer.text : answer.json);

/** Users without an address cannot be found by the prefix at the end. */
function noteMadeUser(path: string, answer: HttpAnswer, world: World): void {
  if (answer.status >= 300 || !/^\/auth\/v1\/(signup|admin\/users|token)/.test(path)) return;
  const id = valueAt(answer.json, 'user.id') ?? valueAt(answer.json, 'id');
  if (typeof id === 'string') world.noteUser(id);
}

function shownRequestBody(body: HttpRequest['body']): string | null {
  if (body === null || typeof body === 'string') return body === null ? null : shownBody(body);
  return body instanceof FormData ? '(a multipart form)' : `(${body.length} bytes)`;
}

function recordOf(
  request: HttpRequest,
  answer: HttpAnswer,
  path: string,
): Pick<StepRecord, 'title' | 'request' | 'response'> {
  return {
    title: `${request.method} ${path.replace(/(token|apikey)=[^&]+/g, '$1=…')}`,
    request: {
      headers: withoutSecrets(request.headers),
      body: shownRequestBody(request.body),
    },
    response: {
      status: answer.status,
      headers: withoutSecrets(answer.headers),
      body: shownBody(answer.text),
    },
  };
}
