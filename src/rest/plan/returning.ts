import type { Relationship } from '../../catalog/model.ts';
import type { LogicPlan, ReadPlan } from './model.ts';

/** Columns in the order of their names, each once. */
export const sortedSet = (names: Iterable<string>): string[] => [...new Set(names)].sort();

/** Columns of the relation that a relationship joins by; null when the whole row is needed. */
function joinColumns(relationship: Relationship | null): readonly string[] | null {
  if (relationship === null) return [];
  switch (relationship.kind) {
    case 'computed':
      return null;
    case 'many-to-many':
      return relationship.junction.sourceColumns.map(([own]) => own);
    default:
      return relationship.columns.map(([own]) => own);
  }
}

/**
 * Columns that a write or a call has to hand on, so that the read above it finds what it selects and joins by.
 * `*` stands alone: columns named beside it would come twice.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Plan.hs (inferColsEmbedNeeds).
 */
export function neededColumns({ select, children }: ReadPlan, keyColumns: readonly string[]): string[] {
  const selected = select.map(({ field }) => field.name);
  if (selected.includes('*')) return ['*'];
  const joined: string[] = [];
  for (const { relationship } of children) {
    const columns = joinColumns(relationship);
    if (columns === null) return ['*'];
    joined.push(...columns);
  }
  return sortedSet([...selected, ...joined, ...keyColumns]);
}

/** Columns that filters anywhere in the read look at. */
export function filterColumns({ where, children }: ReadPlan): string[] {
  return [...where.flatMap(logicColumns), ...children.flatMap(filterColumns)];
}

function logicColumns(tree: LogicPlan): readonly string[] {
  switch (tree.kind) {
    case 'filter':
      return [tree.field.name];
    case 'embed':
      return [tree.alias];
    case 'group':
      return tree.trees.flatMap(logicColumns);
  }
}
