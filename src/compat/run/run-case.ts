import { randomBytes, randomUUID } from 'node:crypto';
import { assertNever } from '../../core/result.ts';
import type { Case, SqlStep, Step } from '../cases/model.ts';
import { type CaseResult, resultOf, type StepRecord } from '../result.ts';
import { password } from './cast.ts';
import { mismatches } from './match.ts';
import { runRequest } from './step-request.ts';
import { runConnect, runReceive, runSend, runSilent, type Sockets } from './step-socket.ts';
import { fill, fillString, type Variables } from './template.ts';
import { signingSecret } from './token.ts';
import type { World } from './world.ts';

/** Runs the steps of a case in order, up to the first that is not as expected. Never rejects. */
export async function runCase(one: Case, world: World): Promise<CaseResult> {
  const started = performance.now();
  const steps: StepRecord[] = [];
  const sockets: Sockets = new Map();
  const hangUp = (): void => {
    for (const socket of sockets.values()) socket.close();
  };
  world.signal.addEventListener('abort', hangUp);
  const end = (reason: string | null): CaseResult =>
    resultOf(one, {
      outcome: reason === null ? 'passed' : 'failed',
      reason,
      ms: performance.now() - started,
      steps,
    });
  try {
    const variables = await startingVariables(one, world);
    for (const step of one.steps) {
      const record = await runStep(step, world, variables, sockets);
      if (record === null) continue;
      steps.push(record);
      if (record.response?.status === TOO_MANY && record.mismatches.length > 0)
        return limited(one, started, steps);
      if (record.mismatches.length > 0) return end(describe(record));
    }
    return end(null);
  } catch (error) {
    return end(messageOf(error));
  } finally {
    world.signal.removeEventListener('abort', hangUp);
    hangUp();
  }
}

const TOO_MANY = 429;

/** A limit on requests says nothing about the behaviour that was asked for. */
const limited = (one: Case, started: number, steps: readonly StepRecord[]): CaseResult =>
  resultOf(one, {
    outcome: 'skipped',
    reason: 'the target answered 429: it limits how often it is asked',
    ms: performance.now() - started,
    steps,
  });

async function runStep(
  step: Step,
  world: World,
  variables: Map<string, unknown>,
  sockets: Sockets,
): Promise<StepRecord | null> {
  switch (step.kind) {
    case 'request':
      return runRequest(step, world, variables);
    case 'connect':
      return runConnect(step, world, variables, sockets);
    case 'send':
      return runSend(step, variables, sockets);
    case 'receive':
      return runReceive(step, world, variables, sockets);
    case 'silent':
      return runSilent(step, variables, sockets);
    case 'sql':
      return runSql(step, world, variables);
    case 'set':
      for (const [name, value] of Object.entries(step.values)) variables.set(name, fill(value, variables));
      return null;
    default:
      return assertNever(step);
  }
}

async function runSql(step: SqlStep, world: World, variables: Variables): Promise<StepRecord> {
  const started = performance.now();
  const { database } = world;
  if (database === null) throw new RangeError('the case needs a database connection');
  const text = fillString(step.statement, variables);
  const rows = await database.query({ text, values: [] });
  const expected = fill(step.rows, variables);
  const found = expected === undefined ? [] : mismatches(expected, rows, 'exact', 'rows');
  return { title: 'SQL', mismatches: found, ms: performance.now() - started };
}

/** What every case may name; people only when it does, for making them takes time. */
async function startingVariables(one: Case, world: World): Promise<Map<string, unknown>> {
  const { target, prefix, cast } = world;
  const variables = new Map<string, unknown>([
    ['p', prefix],
    ['url', target.url],
    ['host', new URL(target.url).host],
    ['anon', target.anonKey],
    ['service', target.serviceKey],
    ['password', password],
    ['case', `${prefix}${randomBytes(4).toString('hex')}`],
    ['digits', String(10_000_000 + (randomBytes(4).readUInt32BE() % 89_999_999))],
    ['uuid', randomUUID()],
    ['uuid2', randomUUID()],
    ['now', Date.now()],
    ['secret', signingSecret(target)],
  ]);
  const named = new Set(JSON.stringify(one.steps).match(/(?<=\$\{)(ada|bob)(?=\.)/g));
  for (const name of named) {
    const person = await cast(name);
    for (const [key, value] of Object.entries(person)) variables.set(`${name}.${key}`, value);
  }
  return variables;
}

/** The first difference in a line. */
function describe({ title, mismatches: [first] }: StepRecord): string {
  const { at = '', expected, actual } = first ?? {};
  return `${title}: ${at} is ${short(actual)}, expected ${short(expected)}`;
}

function short(value: unknown): string {
  const text = value === undefined ? 'absent' : JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}

/** A failed `fetch` hides its reason in `cause`. */
const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error.message}${cause}`;
};
