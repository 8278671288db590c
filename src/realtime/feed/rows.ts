import type { RowValues } from '../changes/model.ts';
import type { StreamRelation, Tuple } from './pgoutput.ts';

/** The values of a tuple by column name; unknown ones are absent. */
export function namedValues({ columns }: StreamRelation, tuple: Tuple): RowValues {
  const values = new Map<string, string | null>();
  columns.forEach((name, i) => {
    const value = tuple[i];
    if (value !== undefined) values.set(name, value);
  });
  return values;
}

/** Fills what the new row leaves out (values stored out of line that did not change) from the old one, if it is whole. */
export function fillUnchanged(row: RowValues, old: RowValues | null): RowValues {
  if (old === null) return row;
  const filled = new Map(row);
  for (const [name, value] of old) if (!filled.has(name) && value !== null) filled.set(name, value);
  return filled;
}

/**
 * The identity of a row before an UPDATE. The stream sends it only when it changed; else it is that of the new row.
 * A key tuple has nulls in the other columns, so only identity columns are taken.
 */
export function identityOf({ identity }: StreamRelation, row: RowValues, old: RowValues | null): RowValues {
  const source = old ?? row;
  return new Map([...source].filter(([name]) => identity.has(name)));
}
