import { err, ok, type Result } from '../../core/result.ts';

/** Operators of a filter, in the order of upstream's list. */
const filterOps = [
  'eq',
  'neq',
  'lt',
  'lte',
  'gt',
  'gte',
  'in',
  'like',
  'ilike',
  'is',
  'match',
  'imatch',
  'isdistinct',
] as const;

/** An operator of a filter. */
export type FilterOp = (typeof filterOps)[number];

/** One condition on a column. The value of `in` is an array literal. */
export type Filter = {
  readonly column: string;
  readonly op: FilterOp;
  readonly value: string;
  readonly negate: boolean;
};

/**
 * Parses `column=op.value,column=not.op.value`: conditions that all must hold. The error is what follows
 * "Error parsing `filter` params: ".
 *
 * Upstream: supabase/realtime lib/extensions/postgres_cdc_rls/subscriptions.ex.
 */
export function parseFilters(text: string): Result<readonly Filter[], string> {
  const trimmed = text.trim();
  if (trimmed === '') return ok([]);
  const filters: Filter[] = [];
  for (const segment of splitTopLevel(trimmed)) {
    const filter = parseSegment(segment.trim());
    if (!filter.ok) return filter;
    filters.push(filter.value);
  }
  return ok(filters);
}

/** Splits at commas outside of parentheses and quotes; a quote opens only after `.`, `(` or `,`. */
function splitTopLevel(text: string): string[] {
  const segments: string[] = [];
  let current = '';
  let depth = 0;
  let isQuoted = false;
  let previous = '';
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (isQuoted && char === '\\' && i + 1 < text.length) {
      current += char + text.charAt(++i);
      previous = '';
      continue;
    }
    if (char === '"' && (isQuoted || ['.', '(', ','].includes(previous))) isQuoted = !isQuoted;
    if (!isQuoted && char === '(') depth++;
    if (!isQuoted && char === ')') depth = Math.max(0, depth - 1);
    if (!isQuoted && depth === 0 && char === ',') {
      segments.push(current);
      current = '';
      previous = '';
    } else {
      current += char;
      previous = char;
    }
  }
  return [...segments, current];
}

/** Splits at the first separator; one part when there is none. */
function splitFirst(text: string, separator: string): [string] | [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

const inspectList = (parts: readonly string[]): string =>
  `[${parts.map((part) => JSON.stringify(part)).join(', ')}]`;

const isFilterOp = (text: string): text is FilterOp => filterOps.some((op) => op === text);

function parseSegment(segment: string): Result<Filter, string> {
  if (segment === '') return err('filter must not contain empty segments (check for extra commas)');
  const sides = splitFirst(segment, '=');
  const [column, condition] = sides;
  if (condition === undefined) return err(inspectList(sides));
  const negate = condition.startsWith('not.');
  const parts = splitFirst(negate ? condition.slice('not.'.length) : condition, '.');
  const [op, raw] = parts;
  if (raw === undefined || !isFilterOp(op)) return err(inspectList(parts));
  if (op !== 'in') return ok({ column, op, negate, value: unquote(raw) });
  if (!raw.startsWith('(') || !raw.endsWith(')') || raw.length < 2) {
    return err('`in` filter value must be wrapped by parentheses');
  }
  return ok({ column, op, negate, value: `{${raw.slice(1, -1)}}` });
}

/** Takes the quotes off a value that stands in quotes as a whole; any other value is meant as it is. */
function unquote(raw: string): string {
  const match = /^"((?:[^"\\]|\\[\s\S])*)"$/.exec(raw);
  return match?.[1] === undefined ? raw : match[1].replaceAll(/\\([\s\S])/g, '$1');
}
