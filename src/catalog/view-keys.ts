import { groupBy } from './grouping.ts';
import type { QualifiedName } from './model.ts';
import type { RawView, RawViewKey } from './raw.ts';
import { columnOrigins } from './view-columns.ts';

/** A key of a table that a view shows in full. */
export type ViewKey = {
  readonly constraintId: number;
  readonly kind: RawViewKey['kind'];
  readonly view: QualifiedName;
  /** For each column of the key, the view's columns that show it: a column may be selected more than once. */
  readonly columns: readonly (readonly string[])[];
};

type Origins = ReadonlyMap<number, ReturnType<typeof columnOrigins>>;

/**
 * Keys of base tables that views show with all their columns, directly or through other views.
 * Upstream: PostgREST src/PostgREST/SchemaCache.hs (allViewsKeyDependencies).
 */
export function viewKeys(
  views: readonly RawView[],
  keys: readonly RawViewKey[],
  schemas: ReadonlySet<string>,
): ViewKey[] {
  const origins: Origins = new Map(views.map((view) => [view.id, columnOrigins(view.definition)]));
  const keysByTable = groupBy(keys, (key) => key.tableId);
  return views
    .filter((view) => schemas.has(view.schema))
    .flatMap((view) => {
      const references = referencesOf(view, origins);
      return [...references].flatMap(([tableId, shown]) =>
        (keysByTable.get(tableId) ?? []).flatMap((key) => {
          const columns = key.columns.map((column) => shown.get(column) ?? []);
          if (columns.some((names) => names.length === 0)) return [];
          const { constraintId, kind } = key;
          return [{ constraintId, kind, view: { schema: view.schema, name: view.name }, columns }];
        }),
      );
    });
}

/** By relation and column number, the names under which a view shows that column; relations at every depth. */
function referencesOf(view: RawView, origins: Origins): Map<number, Map<number, string[]>> {
  const references = new Map<number, Map<number, string[]>>();
  for (const origin of origins.get(view.id) ?? []) {
    const name = view.columns[origin.viewColumn];
    if (name === undefined) continue;
    for (const { relationId, column } of ancestry(origin, origins)) {
      const columns = references.get(relationId) ?? new Map<number, string[]>();
      references.set(relationId, columns);
      columns.set(column, [...(columns.get(column) ?? []), name]);
    }
  }
  return references;
}

type Origin = { readonly relationId: number; readonly column: number };

/** A column's origin, the origin of that one when it belongs to a view, and so on; views may form a cycle. */
function ancestry(origin: Origin, origins: Origins): Origin[] {
  const chain: Origin[] = [];
  const seen = new Set<number>();
  let current: Origin | undefined = origin;
  while (current !== undefined && !seen.has(current.relationId)) {
    seen.add(current.relationId);
    chain.push(current);
    const { relationId, column }: Origin = current;
    current = origins.get(relationId)?.find((next) => next.viewColumn === column);
  }
  return chain;
}
