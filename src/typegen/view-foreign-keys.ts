import type { ViewKey } from '../catalog/view-keys.ts';
import type { ForeignKey } from './model.ts';

/**
 * The foreign keys that views take over from their tables: from view to table, from table to view, and from view to
 * view; one for each way in which a view shows the key's columns.
 * Upstream: postgres-meta src/lib/PostgresMetaRelationships.ts.
 */
export function viewForeignKeys(foreignKeys: readonly ForeignKey[], keys: readonly ViewKey[]): ForeignKey[] {
  return foreignKeys.flatMap((key) => {
    const own = keys.filter(({ constraintId, kind }) => constraintId === key.id && kind === 'foreign');
    const referenced = keys.filter(
      ({ constraintId, kind }) => constraintId === key.id && kind === 'referenced',
    );
    const fromViews = own.flatMap((side) =>
      combinations(side.columns).map((columns) => ({ ...key, ...source(side), columns })),
    );
    const toViews = (from: ForeignKey): ForeignKey[] =>
      referenced.flatMap((side) =>
        combinations(side.columns).map((referencedColumns) => ({
          ...from,
          referencedSchema: side.view.schema,
          referencedRelation: side.view.name,
          referencedColumns,
        })),
      );
    return [...fromViews, ...toViews(key), ...fromViews.flatMap(toViews)];
  });
}

const source = ({ view }: ViewKey): Pick<ForeignKey, 'schema' | 'relation'> => ({
  schema: view.schema,
  relation: view.name,
});

/** Every choice of one name per column. */
const combinations = (columns: readonly (readonly string[])[]): string[][] =>
  columns.reduce<string[][]>(
    (chosen, names) => chosen.flatMap((before) => names.map((name) => [...before, name])),
    [[]],
  );
