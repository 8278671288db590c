import type { Catalog, Column, QualifiedName, Table } from '../../catalog/model.ts';
import type { Condition, FieldReference, Filter, LogicTree } from '../parse/model.ts';
import { type FieldPlan, type LogicPlan, unknownField } from './model.ts';

/*
 * From names to fields. A field of unknown type is not an error here: views, functions' results and computed columns
 * have fields that the catalog does not list, and the database knows them.
 */

const isJson = (type: string): boolean => type === 'json' || type === 'jsonb';

/** The field of a column, as it is. */
export const columnField = (column: Column): FieldPlan => ({
  ...unknownField({ name: column.name, path: [] }),
  type: column.nominalType,
});

function plainField(table: Table | undefined, reference: FieldReference): FieldPlan {
  const column = table?.columns.get(reference.name);
  const type = column?.nominalType ?? '';
  return { ...unknownField(reference), needsToJson: !isJson(type), type };
}

/** A field to order by. */
export const orderField = (catalog: Catalog, relation: QualifiedName, reference: FieldReference): FieldPlan =>
  plainField(catalog.table(relation.schema, relation.name), reference);

/** Adds the function that shows the column's type as JSON, where the type has one. */
export function withJsonOutput(catalog: Catalog, field: FieldPlan): FieldPlan {
  if (!catalog.hasRepresentations) return field;
  const transform = catalog.representation(field.type, 'json');
  return transform === undefined ? field : { ...field, transform };
}

/** A field to select. */
export const outputField = (
  catalog: Catalog,
  relation: QualifiedName,
  reference: FieldReference,
): FieldPlan => withJsonOutput(catalog, orderField(catalog, relation, reference));

/** A field to compare with text. */
function filterField(
  catalog: Catalog,
  relation: QualifiedName,
  reference: FieldReference,
  { operation }: Condition,
): FieldPlan {
  const table = catalog.table(relation.schema, relation.name);
  const field = plainField(table, reference);
  const transform = catalog.hasRepresentations ? catalog.representation('text', field.type) : undefined;
  const typed = transform === undefined ? field : { ...field, transform };
  if (operation.kind !== 'search') return typed;
  // A field that the table does not list may be computed, and then it may be a vector already.
  const type = table?.columns.get(reference.name)?.type ?? 'tsvector';
  return type === 'tsvector' ? typed : { ...typed, searchVector: { language: operation.language } };
}

/** A filter on a relation. */
export const resolveFilter = (catalog: Catalog, relation: QualifiedName, filter: Filter): LogicPlan => ({
  kind: 'filter',
  negated: filter.negated,
  operation: filter.operation,
  field: filterField(catalog, relation, filter.field, filter),
});

/** Joined filters on a relation. */
export function resolveLogic(catalog: Catalog, relation: QualifiedName, tree: LogicTree): LogicPlan {
  if (tree.kind === 'filter') return resolveFilter(catalog, relation, tree);
  return { ...tree, trees: tree.trees.map((inner) => resolveLogic(catalog, relation, inner)) };
}
