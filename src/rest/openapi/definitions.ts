import type { Column, Relationship, Routine, Table } from '../../catalog/model.ts';
import { itemsOf, type JsonObject, swaggerFormat, swaggerType, unlessEmpty, withoutNulls } from './types.ts';

/** Schema of a relation's rows. */
export function tableDefinition(table: Table, relationships: readonly Relationship[]): JsonObject {
  const columns = [...table.columns.values()];
  const required = columns.filter((column) => !column.nullable).map((column) => column.name);
  return withoutNulls({
    description: table.description,
    required: unlessEmpty(required),
    properties: properties(
      columns.map((column) => [column.name, columnProperty(column, table, relationships)]),
    ),
    type: 'object',
  });
}

const properties = (entries: readonly (readonly [string, JsonObject])[]): JsonObject | undefined =>
  entries.length === 0 ? undefined : Object.fromEntries(entries);

const columnProperty = (column: Column, table: Table, relationships: readonly Relationship[]): JsonObject =>
  withoutNulls({
    default: defaultOf(column),
    description: describe(column, table, relationships),
    enum: unlessEmpty(column.enumValues),
    format: swaggerFormat(column.type),
    maxLength: column.maxLength,
    items: itemsOf(column.type),
    type: swaggerType(column.type),
  });

/** The default as a JSON value, where the expression is one; expressions that compute are left out. */
function defaultOf({ type, defaultValue }: Column): JsonObject[string] {
  if (defaultValue === null) return undefined;
  const isText = swaggerType(type) === 'string';
  const cast = `::${type}`;
  const literal =
    isText && defaultValue.endsWith(cast)
      ? defaultValue.slice(0, -cast.length).replace(/^'+|'+$/g, '')
      : defaultValue;
  try {
    return JSON.parse(isText ? `"${literal}"` : literal) as JsonObject[string];
  } catch {
    return undefined;
  }
}

/** The column's comment, with notes about its keys in the markup that upstream's readers know. */
function describe(column: Column, table: Table, relationships: readonly Relationship[]): string | null {
  const notes = [
    table.primaryKeyColumns.includes(column.name) ? 'This is a Primary Key.<pk/>' : null,
    foreignKeyNote(column, relationships),
  ].filter((note) => note !== null);
  if (notes.length === 0) return column.description;
  const text = ['Note:', ...notes].join('\n');
  return column.description === null ? text : `${column.description}\n\n${text}`;
}

function foreignKeyNote(column: Column, relationships: readonly Relationship[]): string | null {
  const candidates = relationships.flatMap((item) =>
    (item.kind === 'many-to-one' || (item.kind === 'one-to-one' && !item.isParent)) &&
    item.columns.length === 1 &&
    item.columns[0]?.[0] === column.name
      ? [item]
      : [],
  );
  const found = candidates.find((item) => !item.foreignTableIsView) ?? candidates[0];
  const target = found?.columns[0]?.[1];
  if (found === undefined || target === undefined) return null;
  const table = found.foreignTable.name;
  return `This is a Foreign Key to \`${table}.${target}\`.<fk table='${table}' column='${target}'/>`;
}

/** Schema of a function's arguments. */
export function argumentsDefinition(routine: Routine): JsonObject {
  const required = routine.parameters.filter((item) => item.isRequired).map((item) => item.name);
  return withoutNulls({
    description: routine.description,
    required: unlessEmpty(required),
    properties: properties(
      routine.parameters.map(({ name, type }) => [
        name,
        withoutNulls({ format: swaggerFormat(type), items: itemsOf(type), type: swaggerType(type) }),
      ]),
    ),
    type: 'object',
  });
}
