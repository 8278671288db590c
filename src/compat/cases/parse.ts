import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { type Case, needs, type Step, services } from './model.ts';

/** A case file that cannot be read; names the file and each problem. */
export class CaseFileError extends Error {
  override readonly name = 'CaseFileError';
}

const saves = z.record(z.string(), z.string()).default({});
const status = z.union([z.number().int(), z.array(z.number().int()).readonly()]);
const expectation = z.strictObject({
  status: status.optional(),
  headers: z.record(z.string(), z.unknown()).optional(),
  body: z.unknown().optional(),
  match: z.unknown().optional(),
  includes: z.array(z.unknown()).optional(),
  unordered: z.boolean().optional(),
  text: z.unknown().optional(),
});
const formPart = z.strictObject({
  name: z.string(),
  value: z.string(),
  file: z.string().optional(),
  type: z.string().optional(),
});
const verbs = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'] as const;

const request = z
  .strictObject({
    get: z.string().optional(),
    head: z.string().optional(),
    post: z.string().optional(),
    put: z.string().optional(),
    patch: z.string().optional(),
    delete: z.string().optional(),
    options: z.string().optional(),
    as: z.string().default('anon'),
    headers: z.record(z.string(), z.unknown()).default({}),
    json: z.unknown().optional(),
    text: z.string().optional(),
    bytes: z.base64().optional(),
    form: z.array(formPart).optional(),
    expect: expectation,
    save: saves,
    eventually: z.boolean().default(false),
  })
  .refine((step) => verbs.filter((verb) => step[verb] !== undefined).length === 1, 'one method per request')
  .transform(({ expect, as, headers, json, text, bytes, form, save, eventually, ...step }): Step => {
    const verb = verbs.find((name) => step[name] !== undefined) ?? 'get';
    const path = step[verb] ?? '';
    const method = verb.toUpperCase();
    return { kind: 'request', method, path, as, headers, json, text, bytes, form, expect, save, eventually };
  });

const connect = z
  .strictObject({
    connect: z.string(),
    as: z.string().default('anon'),
    vsn: z.string().default('1.0.0'),
    refused: z.number().int().optional(),
  })
  .transform(({ connect: socket, ...step }): Step => ({ kind: 'connect', socket, ...step }));
const send = z
  .strictObject({ send: z.string(), message: z.unknown() })
  .transform(({ send: socket, message }): Step => ({ kind: 'send', socket, message }));
const receive = z
  .strictObject({ receive: z.string(), match: z.unknown(), save: saves })
  .transform(({ receive: socket, match, save }): Step => ({ kind: 'receive', socket, match, save }));
const silent = z
  .strictObject({ silent: z.string(), match: z.unknown(), ms: z.number().int().positive().default(400) })
  .transform(({ silent: socket, match, ms }): Step => ({ kind: 'silent', socket, match, ms }));
const sqlStep = z
  .strictObject({ sql: z.string(), rows: z.array(z.unknown()).optional() })
  .transform(({ sql: statement, rows }): Step => ({ kind: 'sql', statement, rows }));
const set = z
  .strictObject({ set: z.record(z.string(), z.unknown()) })
  .transform(({ set: values }): Step => ({ kind: 'set', values }));

/** The key that tells one kind of step from another. */
const kinds = { connect, send, receive, silent, sql: sqlStep, set } as const;

const step = z.record(z.string(), z.unknown()).transform((value, context): Step => {
  const name = (Object.keys(kinds) as (keyof typeof kinds)[]).find((key) => key in value);
  const parsed = (name === undefined ? request : kinds[name]).safeParse(value);
  if (parsed.success) return parsed.data;
  for (const { message, path } of parsed.error.issues) {
    context.addIssue({ code: 'custom', message, path: [...path] });
  }
  return z.NEVER;
});

const caseFile = z.strictObject({
  service: z.enum(services),
  feature: z.string(),
  needs: z.array(z.enum(needs)).default([]),
  cases: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[a-z0-9]+(\.[a-z0-9-]+)+$/),
        title: z.string(),
        method: z.string(),
        weight: z.number().int().min(1).max(5),
        why: z.string(),
        needs: z.array(z.enum(needs)).default([]),
        steps: z.array(step).min(1),
      }),
    )
    .min(1),
});

/** Reads the cases of one YAML file; throws `CaseFileError` with every problem and where it is. */
export function parseCaseFile(text: string, name: string): Case[] {
  const parsed = caseFile.safeParse(readYaml(text, name));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new CaseFileError(`${name}:\n  ${problems.join('\n  ')}`);
  }
  const { service, feature, needs: shared, cases } = parsed.data;
  return cases.map((one) => ({
    ...one,
    service,
    feature,
    needs: [...new Set([...shared, ...one.needs])],
  }));
}

function readYaml(text: string, name: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    throw new CaseFileError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
