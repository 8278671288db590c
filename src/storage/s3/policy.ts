import { z } from 'zod';
import { StorageError } from '../errors.ts';

/*
 * The policy of a browser's form: until when it may be sent, and what each of its fields may be. Every field needs a
 * condition, so that the holder of a policy cannot add one.
 */

const condition = z.union([
  z.record(z.string(), z.string()),
  z.tuple([z.literal('content-length-range'), z.coerce.number(), z.coerce.number()]),
  z.tuple([z.enum(['eq', 'starts-with']), z.string().startsWith('$'), z.string()]),
]);
const policySchema = z.object({ expiration: z.string(), conditions: z.array(condition) });
type Condition = z.infer<typeof condition>;

/** Fields that need no condition. */
const free: ReadonlySet<string> = new Set([
  'policy',
  'x-amz-signature',
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-security-token',
]);

/** Sizes in bytes that a policy allows. */
export type SizeRange = { readonly min: number; readonly max: number };

const failed = (why: string): StorageError =>
  new StorageError('AccessDenied', `Policy condition failed: ${why}`);

/**
 * Holds a form against its policy; yields the sizes that it allows, if it says so. Throws `InvalidSignature` for a
 * policy that is none, `ExpiredToken`, or `AccessDenied` for a field that is not as it should be.
 */
export function requirePolicy(
  encoded: string,
  fields: ReadonlyMap<string, string>,
  nowMs: number,
): SizeRange | undefined {
  const policy = readPolicy(encoded);
  const expiresMs = Date.parse(policy.expiration);
  if (Number.isNaN(expiresMs)) throw new StorageError('InvalidSignature', 'Invalid policy expiration');
  if (expiresMs < nowMs) throw new StorageError('ExpiredToken');
  const covered = new Set(policy.conditions.map((item) => requireCondition(item, fields)));
  for (const field of fields.keys()) {
    if (free.has(field) || field.startsWith('x-ignore-') || covered.has(field)) continue;
    throw failed(`field "${field}" is not covered by the policy`);
  }
  const range = policy.conditions.find((item) => Array.isArray(item) && item[0] === 'content-length-range');
  return Array.isArray(range) ? { min: Number(range[1]), max: Number(range[2]) } : undefined;
}

function readPolicy(encoded: string): z.infer<typeof policySchema> {
  try {
    return policySchema.parse(JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')));
  } catch (thrown) {
    throw new StorageError('InvalidSignature', 'Invalid POST policy', { cause: thrown });
  }
}

/** Checks one condition; yields the field that it covers. */
function requireCondition(item: Condition, fields: ReadonlyMap<string, string>): string | undefined {
  if (!Array.isArray(item)) {
    const [entry, ...more] = Object.entries(item);
    if (entry === undefined || more.length > 0)
      throw new StorageError('InvalidSignature', 'Invalid policy condition');
    return requireEqual(entry[0].toLowerCase(), entry[1], fields);
  }
  if (item[0] === 'content-length-range') return undefined;
  const field = item[1].slice(1).toLowerCase();
  if (item[0] === 'eq') return requireEqual(field, item[2], fields);
  if (fields.get(field)?.startsWith(item[2]) === true) return field;
  throw failed(`"${field}" does not start with "${item[2]}"`);
}

function requireEqual(field: string, expected: string, fields: ReadonlyMap<string, string>): string {
  if (fields.get(field) !== expected) throw failed(`"${field}" does not match`);
  return field;
}
