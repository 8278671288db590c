import type { Catalog, Relationship, Routine, Table } from '../../catalog/model.ts';

/**
 * The schema cache as JSON in the members that PostgREST's own document has for tables, relationships and functions.
 * Upstream: PostgREST src/PostgREST/SchemaCache.hs (ToJSON), whose structure is not a promise either.
 */
export function schemaDocument(catalog: Catalog, schemas: readonly string[]): string {
  return JSON.stringify({
    dbMediaHandlers: catalog.counts.mediaHandlers,
    dbRelationships: schemas.flatMap((schema) =>
      catalog
        .relationshipSources(schema)
        .map((name) => [
          [qualified({ schema, name }), schema],
          (catalog.relationships(schema, name) ?? []).map(relationshipOf),
        ]),
    ),
    dbRepresentations: catalog.counts.representations,
    dbRoutines: schemas.flatMap((schema) =>
      catalog
        .routinesOf(schema)
        .map((overloads) => [
          overloads[0] === undefined ? null : qualified(overloads[0]),
          overloads.map(routineOf),
        ]),
    ),
    dbTables: schemas.flatMap((schema) =>
      catalog.tables(schema).map((table) => [qualified(table), tableOf(table)]),
    ),
    dbTimezones: [...catalog.timezones],
  });
}

const qualified = ({ schema, name }: { schema: string; name: string }) => ({
  qiName: name,
  qiSchema: schema,
});

const tableOf = (table: Table) => ({
  tableColumns: Object.fromEntries(
    [...table.columns.values()].map((column) => [
      column.name,
      {
        colDefault: column.defaultValue,
        colDescription: column.description,
        colEnum: column.enumValues,
        colMaxLen: column.maxLength,
        colName: column.name,
        colNominalType: column.nominalType,
        colNullable: column.nullable,
        colType: column.type,
      },
    ]),
  ),
  tableDeletable: table.deletable,
  tableDescription: table.description,
  tableInsertable: table.insertable,
  tableIsView: table.isView,
  tableName: table.name,
  tablePKCols: table.primaryKeyColumns,
  tableSchema: table.schema,
  tableUpdatable: table.updatable,
});

const routineOf = (routine: Routine) => ({
  pdDescription: routine.description,
  pdFuncSettings: routine.settings,
  pdHasVariadic: routine.hasVariadic,
  pdName: routine.name,
  pdParams: routine.parameters.map((parameter) => ({
    ppName: parameter.name,
    ppReq: parameter.isRequired,
    ppType: parameter.type,
    ppTypeMaxLength: parameter.unboundedType,
    ppVar: parameter.isVariadic,
  })),
  pdReturnType: {
    contents: routine.returnType.isComposite
      ? {
          contents: [qualified(routine.returnType.type), routine.returnType.isCompositeAlias],
          tag: 'Composite',
        }
      : { contents: qualified(routine.returnType.type), tag: 'Scalar' },
    tag: routine.returnType.isSet ? 'SetOf' : 'Single',
  },
  pdSchema: routine.schema,
  pdVolatility: `${routine.volatility[0]?.toUpperCase()}${routine.volatility.slice(1)}`,
});

function relationshipOf(relationship: Relationship) {
  const ends = {
    relForeignTable: qualified(relationship.foreignTable),
    relIsSelf: relationship.isSelf,
    relTable: qualified(relationship.table),
  };
  if (relationship.kind === 'computed')
    return {
      ...ends,
      relFunction: qualified(relationship.function),
      relToOne: relationship.isToOne,
      tag: 'ComputedRelationship',
    };
  return {
    ...ends,
    relCardinality: cardinalityOf(relationship),
    relFTableIsView: relationship.foreignTableIsView,
    relTableIsView: relationship.tableIsView,
    tag: 'Relationship',
  };
}

function cardinalityOf(relationship: Exclude<Relationship, { readonly kind: 'computed' }>) {
  switch (relationship.kind) {
    case 'many-to-many': {
      const { junction } = relationship;
      return {
        contents: {
          junColsSource: junction.sourceColumns,
          junColsTarget: junction.targetColumns,
          junConstraint1: junction.sourceConstraint,
          junConstraint2: junction.targetConstraint,
          junTable: qualified(junction),
        },
        tag: 'M2M',
      };
    }
    case 'one-to-one':
      return {
        relColumns: relationship.columns,
        relCons: relationship.constraint,
        relIsParent: relationship.isParent,
        tag: 'O2O',
      };
    case 'many-to-one':
      return { relColumns: relationship.columns, relCons: relationship.constraint, tag: 'M2O' };
    case 'one-to-many':
      return { relColumns: relationship.columns, relCons: relationship.constraint, tag: 'O2M' };
  }
}
