import { err, ok, type Result } from '../../core/result.ts';
import { canonicalJson } from '../canonical-json.ts';
import { type Filter, parseFilters } from './filter.ts';
import type { ChangeKind } from './model.ts';

/** What one item of `postgres_changes` asks for. */
export type ChangeRequest = {
  readonly event: ChangeKind | '*';
  /** A name, or `*` for all. */
  readonly schema: string;
  readonly table: string;
  readonly filters: readonly Filter[];
  /** Names of the columns that are wanted; null for all. */
  readonly select: readonly string[] | null;
};

/** An item as a client sent it, with the number that its messages carry. */
export type ChangeItem = { readonly raw: Readonly<Record<string, unknown>>; readonly id: number };

const selectShape =
  'Error parsing `select` params: expected a list of column name strings, e.g. select: ["col1", "col2"]';
const selectWildcard =
  'Column selection is not supported for wildcard subscriptions. Provide an explicit schema and table name.';
const noParams =
  'No subscription params provided. Please provide at least a `schema` or `table` to subscribe to:';

/** What a topic of the first protocol asks for: `schema`, `schema:table` or `schema:table:filter`. */
export function legacyItem(subTopic: string): Readonly<Record<string, unknown>> {
  const [schema, table, ...filter] = subTopic.split(':');
  return {
    schema,
    ...(table === undefined ? {} : { table }),
    ...(filter.length === 0 ? {} : { filter: filter.join(':') }),
  };
}

const maxId = 2 ** 27;

/** A number for an item: the same for equal items of all sockets, never 0, which clients take for absent. */
export function itemId(raw: Readonly<Record<string, unknown>>): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(canonicalJson(raw))) hash = Math.imul(hash ^ byte, 0x01000193);
  return ((hash >>> 0) % (maxId - 1)) + 1;
}

/**
 * Reads an item. The error is the message that the client gets.
 * Upstream: supabase/realtime lib/extensions/postgres_cdc_rls/subscriptions.ex.
 */
export function parseItem(raw: Readonly<Record<string, unknown>>): Result<ChangeRequest, string> {
  if (typeof raw.select === 'string') return err(selectShape);
  const names = Array.isArray(raw.select) ? raw.select.filter((name) => typeof name === 'string') : [];
  const select = names.length === 0 ? null : names;
  const place = placeOf(raw);
  if (place === null) return err(`${noParams} ${inspect(raw)}`);
  const filters = typeof raw.filter === 'string' ? parseFilters(raw.filter) : ok([]);
  if (!filters.ok) return err(`Error parsing \`filter\` params: ${filters.error}`);
  if (select !== null && (place.schema === '*' || place.table === '*')) return err(selectWildcard);
  return ok({ event: eventOf(raw.event), ...place, filters: filters.value, select });
}

function placeOf(raw: Readonly<Record<string, unknown>>): { schema: string; table: string } | null {
  const { schema, table } = raw;
  const hasFilter = 'filter' in raw;
  if (typeof schema === 'string' && typeof table === 'string') {
    return !hasFilter || typeof raw.filter === 'string' ? { schema, table } : null;
  }
  if (hasFilter) return null;
  if (typeof schema === 'string' && !('table' in raw)) return { schema, table: '*' };
  if (typeof table === 'string' && !('schema' in raw)) return { schema: 'public', table };
  return null;
}

function eventOf(raw: unknown): ChangeRequest['event'] {
  const event = typeof raw === 'string' ? raw.toUpperCase() : '*';
  return event === 'INSERT' || event === 'UPDATE' || event === 'DELETE' ? event : '*';
}

const isSecret = (raw: Readonly<Record<string, unknown>>): boolean =>
  'user_token' in raw || 'auth_token' in raw;

/** The item in the notation of upstream's texts. */
function inspect(raw: Readonly<Record<string, unknown>>): string {
  if (isSecret(raw)) return '<redacted>';
  const members = Object.entries(raw).map(([key, value]) => {
    const shown = value === null ? 'nil' : JSON.stringify(value);
    return `${JSON.stringify(key)} => ${shown}`;
  });
  return `%{${members.join(', ')}}`;
}

/** The parameters of a request in the notation of upstream's texts. */
export function describeRequest({ event, schema, table, filters, select }: ChangeRequest): string {
  const list = filters
    .map(({ column, op, value, negate }) => {
      const texts = [column, op, value].map((text) => JSON.stringify(text)).join(', ');
      return `{${texts}, ${negate}}`;
    })
    .join(', ');
  const columns = select === null ? 'nil' : `[${select.map((name) => JSON.stringify(name)).join(', ')}]`;
  return `event: ${event}, schema: ${schema}, table: ${table}, filters: [${list}], select: ${columns}`;
}
