import type { Frame, Serializer } from '../socket/frame.ts';
import type { Change, ChangeKind, ColumnInfo, RelationInfo, RoleAccess, RowValues } from './model.ts';
import { type JsonCasts, valueToken } from './values.ts';

/** Size of a change's values above which long ones are left out. */
const maxRecordBytes = 1024 ** 2;
const maxKeptBytes = 64;

/** A change that cannot be shown, by upstream's texts. */
export type ChangeError = 'Error 400: Bad Request, no primary key' | 'Error 401: Unauthorized';

/** `2024-01-02T03:04:05.678Z`: milliseconds, cut off. */
export const commitTimestamp = (micros: bigint): string => new Date(Number(micros / 1000n)).toISOString();

const quote = (text: string): string => JSON.stringify(text);

/** Why a role cannot be shown new and altered rows of a relation at all; null when it can. */
export function changeError({ primaryKey }: RelationInfo, access: RoleAccess): ChangeError | null {
  if (primaryKey.length === 0) return 'Error 400: Bad Request, no primary key';
  return primaryKey.every(({ name }) => access.columns.has(name)) ? null : 'Error 401: Unauthorized';
}

/** The `data` of a change that cannot be shown. */
export function encodeError({ relation, kind }: Change, error: ChangeError): string {
  const old = kind === 'UPDATE' ? ',"old_record":{}' : '';
  return `{${head(relation, kind)},"commit_timestamp":null,"columns":[],"record":{}${old},"errors":[${quote(error)}]}`;
}

const head = ({ schema, name }: Change['relation'], kind: Change['kind']): string =>
  `"schema":${quote(schema)},"table":${quote(name)},"type":"${kind}"`;

/**
 * The `data` of a change as JSON text, with the columns that a role may read and a subscriber selected.
 * Upstream: supabase/realtime priv/repo/tenant_schema/realtime/functions/apply_rls.sql.
 */
export function encodeChange(
  change: Change,
  access: RoleAccess,
  select: readonly string[] | null,
  casts: JsonCasts,
): string {
  const { relation, kind } = change;
  const isWanted = (column: ColumnInfo): boolean =>
    access.columns.has(column.name) &&
    (select === null || column.isPrimaryKey || select.includes(column.name));
  const shown = relation.columns.filter(isWanted);
  const isTooLarge = change.bytes > maxRecordBytes;
  // What a deleted row held can no longer be checked: under row security only its key is told.
  const hidesAllButKey = kind === 'DELETE' && relation.hasRowSecurity;
  const columns = shown.map(({ name, type }) => `{"name":${quote(name)},"type":${quote(type.name)}}`);
  const parts = [
    head(relation, kind),
    `"commit_timestamp":"${commitTimestamp(change.committedAt)}"`,
    `"columns":[${columns.join(',')}]`,
  ];
  if (change.row !== null) parts.push(`"record":${encodeRow(shown, change.row, isTooLarge, casts)}`);
  if (change.old !== null) {
    const told = hidesAllButKey ? shown.filter(({ isPrimaryKey }) => isPrimaryKey) : shown;
    parts.push(`"old_record":${encodeRow(told, change.old, isTooLarge, casts)}`);
  }
  parts.push(`"errors":${isTooLarge ? '["Error 413: Payload Too Large"]' : 'null'}`);
  return `{${parts.join(',')}}`;
}

function encodeRow(
  columns: readonly ColumnInfo[],
  values: RowValues,
  isTooLarge: boolean,
  casts: JsonCasts,
): string {
  const members: string[] = [];
  for (const { name, type } of columns) {
    const value = values.get(name);
    if (value === undefined) continue;
    if (isTooLarge && value === null) continue;
    const token = valueToken(type, value, casts);
    if (isTooLarge && Buffer.byteLength(token) > maxKeptBytes) continue;
    members.push(`${quote(name)}:${token}`);
  }
  return `{${members.join(',')}}`;
}

/** Where a change goes, and in which form. */
type ChangeTarget = {
  readonly serializer: Serializer;
  readonly topic: string;
  readonly isLegacy: boolean;
};

/** The frame that carries a change to one topic. Upstream: lib/extensions/postgres_cdc_rls/message_dispatcher.ex. */
export function changeFrame(
  { serializer, topic, isLegacy }: ChangeTarget,
  kind: ChangeKind,
  ids: readonly number[],
  data: string,
): Frame {
  const common = { joinRef: null, ref: null, topic };
  return isLegacy
    ? serializer.push({ ...common, event: kind, payload: data })
    : serializer.push({
        ...common,
        event: 'postgres_changes',
        payload: `{"ids":[${ids.join(',')}],"data":${data}}`,
      });
}
