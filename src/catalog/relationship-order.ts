import type { QualifiedName, Relationship } from './model.ts';

const kindOrder: Readonly<Record<Relationship['kind'], number>> = {
  'one-to-many': 0,
  'many-to-one': 1,
  'one-to-one': 2,
  'many-to-many': 3,
  computed: 4,
};

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const compareNames = (a: QualifiedName, b: QualifiedName): number =>
  compareText(a.schema, b.schema) || compareText(a.name, b.name);

/** Text that sorts like the facts that tell apart two relationships of one kind between the same relations. */
function detail(relationship: Relationship): string {
  switch (relationship.kind) {
    case 'computed':
      return '';
    case 'many-to-many': {
      const { schema, name, sourceConstraint, targetConstraint, sourceColumns, targetColumns } =
        relationship.junction;
      return [
        schema,
        name,
        sourceConstraint,
        targetConstraint,
        ...sourceColumns.flat(),
        ...targetColumns.flat(),
      ].join('\0');
    }
    default:
      return [
        relationship.constraint,
        ...relationship.columns.flat(),
        Number(relationship.isParent),
        Number(relationship.tableIsView),
        Number(relationship.foreignTableIsView),
      ].join('\0');
  }
}

/**
 * Order in which candidates are listed when an embedding is ambiguous: computed ones last, then by target, then self
 * references last, then by kind and by names.
 * Upstream: the derived order of PostgREST src/PostgREST/SchemaCache/Relationship.hs.
 */
export function byRelationshipOrder(a: Relationship, b: Relationship): number {
  if (a.kind === 'computed' || b.kind === 'computed') {
    if (a.kind !== 'computed') return -1;
    if (b.kind !== 'computed') return 1;
    return compareNames(a.function, b.function);
  }
  return (
    compareNames(a.foreignTable, b.foreignTable) ||
    Number(a.isSelf) - Number(b.isSelf) ||
    kindOrder[a.kind] - kindOrder[b.kind] ||
    compareText(detail(a), detail(b))
  );
}
