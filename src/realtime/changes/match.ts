import { evaluate } from './compare.ts';
import type { Filter } from './filter.ts';
import type { Change, ColumnInfo } from './model.ts';

/** A filter whose answer only the database knows, for one change. */
export type OpenFilter = { readonly filter: Filter; readonly column: ColumnInfo; readonly value: string };

/** Whether a change passes the filters: yes, no, or it depends on these. */
export type Match = 'no' | readonly OpenFilter[];

/**
 * Holds the filters against the new row, or for DELETE against the identity of the old one. A column without a known
 * value does not match, nor does a null result.
 */
export function matchFilters({ relation, row, old }: Change, filters: readonly Filter[]): Match {
  const values = row ?? old;
  const open: OpenFilter[] = [];
  for (const filter of filters) {
    const column = relation.columnByName.get(filter.column);
    const printed = values?.get(filter.column);
    if (column === undefined || printed === undefined) return 'no';
    const value = column.type.oid === byteaOid && printed !== null ? bytesOfHex(printed) : printed;
    const truth = evaluate(filter, column.type, value);
    // Nulls are decided here; what is left to the database has a value.
    if (truth === 'ask' && value !== null) open.push({ filter, column, value });
    else if (truth !== true) return 'no';
  }
  return open;
}

const byteaOid = 17;

/** Filters compare bytes with what records show of them, which is hex without a prefix, taken for text. */
const bytesOfHex = (printed: string): string =>
  `\\x${Buffer.from(printed.replace(/^\\x/, '')).toString('hex')}`;
