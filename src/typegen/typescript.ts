import { type Callable, callables, functionContext, returnType, signatures } from './functions.ts';
import { helperTypes } from './helper-types.ts';
import type { Column, ForeignKey, Introspection, PgType, Relation } from './model.ts';
import { nullable, quote, type TypeNames, typeNames } from './type-names.ts';

/** Variants of the output. */
export type TypeOptions = {
  /** Says of each relationship whether it is one to one; clients of PostgREST 9 and older do without. */
  readonly detectOneToOne: boolean;
};

/**
 * The TypeScript module that describes a database to supabase-js, formatted like that of the Supabase CLI.
 * Upstream: postgres-meta src/server/templates/typescript.ts.
 */
export async function generateTypeScript(database: Introspection, options: TypeOptions): Promise<string> {
  const { format } = await import('prettier/standalone');
  const plugins = await Promise.all([
    import('prettier/plugins/typescript'),
    import('prettier/plugins/estree'),
  ]);
  return format(moduleText(database, options), {
    parser: 'typescript',
    semi: false,
    plugins: plugins.map((plugin) => plugin.default),
  });
}

/** In the order of names, as people look them up. */
const byName = (one: { readonly name: string }, other: { readonly name: string }): number =>
  one.name.localeCompare(other.name);

function moduleText(database: Introspection, options: TypeOptions): string {
  const schemas = [...database.schemas].sort((one, other) => one.localeCompare(other));
  return `export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
${schemas.map((schema) => schemaText(database, schema, options)).join(',\n')}
}

type DatabaseWithoutInternals = Omit<Database, '__InternalSupabase'>

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

${helperTypes()}

export const Constants = {
${schemas.map((schema) => `${quote(schema)}: {\nEnums: {\n${labelLists(database, schema)}\n}\n}`).join(',\n')}
} as const
`;
}

function schemaText(database: Introspection, schema: string, options: TypeOptions): string {
  const names = typeNames(database, schema);
  const context = functionContext(database, schema, names);
  const functions = callables(database, context);
  const relations = database.relations.filter((relation) => relation.schema === schema).sort(byName);
  const describe = (relation: Relation): string => {
    const computed = functions
      .filter(({ routine }) => routine.argumentTypes === relation.name)
      .map(({ routine }) => `${quote(routine.name)}: ${nullable(returnType(routine, context), true)}`);
    const body = isTable(relation)
      ? tableText(relation, computed, names)
      : viewText(relation, computed, names);
    const relationships = relationshipsOf(relation, database.foreignKeys, options);
    return `${quote(relation.name)}: {\n${body}\nRelationships: [\n${relationships}\n]\n}`;
  };
  const overloads = byRoutineName(functions).map(
    ([name, all]) => `${quote(name)}:\n${signatures(all, context)}`,
  );
  const types = database.types.filter((type) => type.schema === schema).sort(byName);
  return `${quote(schema)}: {
Tables: ${group(relations.filter(isTable).map(describe))}
Views: ${group(relations.filter((relation) => !isTable(relation)).map(describe))}
Functions: ${group(overloads)}
Enums: ${group(types.flatMap(enumText))}
CompositeTypes: ${group(types.flatMap((type) => compositeText(type, names)))}
}`;
}

const isTable = ({ kind }: Relation): boolean => kind === 'table' || kind === 'foreign table';

const enumText = ({ name, labels }: PgType): string[] =>
  labels.length === 0 ? [] : [`${quote(name)}: ${labels.map(quote).join(' | ')}`];

function compositeText({ name, attributes }: PgType, names: TypeNames): string[] {
  if (attributes.length === 0) return [];
  const members = attributes.map(
    (attribute) => `${quote(attribute.name)}: ${nullable(names.byId(attribute.typeId), true)}`,
  );
  return [`${quote(name)}: ${objectType(members)}`];
}

/** Members of a group of the schema; a group without members allows none. */
const group = (members: readonly string[]): string =>
  `{\n${members.length === 0 ? '[_ in never]: never' : members.join(',\n')}\n}`;

/** Functions by name; names that look like numbers come first, as in any JavaScript object. */
function byRoutineName(functions: readonly Callable[]): [string, Callable[]][] {
  const groups: Record<string, Callable[]> = Object.create(null) as Record<string, Callable[]>;
  for (const one of functions) {
    groups[one.routine.name] = [...(groups[one.routine.name] ?? []), one];
  }
  return Object.entries(groups);
}

const sortedColumns = ({ columns }: Relation): Column[] => [...columns].sort(byName);

const objectType = (members: readonly string[]): string => `{\n${members.join(',\n')}\n}`;

const rowType = (relation: Relation, computed: readonly string[], names: TypeNames): string =>
  objectType([
    ...sortedColumns(relation).map(
      ({ name, type, isNullable }) => `${quote(name)}: ${nullable(names.byName(type), isNullable)}`,
    ),
    ...computed,
  ]);

function tableText(relation: Relation, computed: readonly string[], names: TypeNames): string {
  const written = (isOptional: (column: Column) => boolean): string =>
    objectType(
      sortedColumns(relation).map((column) => {
        if (column.isAlwaysIdentity) return `${quote(column.name)}?: never`;
        const type = nullable(names.byName(column.type), column.isNullable);
        return `${quote(column.name)}${isOptional(column) ? '?' : ''}: ${type}`;
      }),
    );
  const mayBeLeftOut = ({ isNullable, isIdentity, hasDefault }: Column): boolean =>
    isNullable || isIdentity || hasDefault;
  return `Row: ${rowType(relation, computed, names)}
Insert: ${written(mayBeLeftOut)}
Update: ${written(() => true)}`;
}

function viewText(relation: Relation, computed: readonly string[], names: TypeNames): string {
  const row = `Row: ${rowType(relation, computed, names)}`;
  if (!relation.isUpdatable) return row;
  const written = objectType(
    sortedColumns(relation).map(({ name, type, isUpdatable }) =>
      isUpdatable ? `${quote(name)}?: ${nullable(names.byName(type), true)}` : `${quote(name)}?: never`,
    ),
  );
  return `${row}\nInsert: ${written}\nUpdate: ${written}`;
}

/** The foreign keys of a relation to others of its schema. */
function relationshipsOf(
  { schema, name }: Relation,
  foreignKeys: readonly ForeignKey[],
  { detectOneToOne }: TypeOptions,
): string {
  return foreignKeys
    .filter((key) => key.schema === schema && key.relation === name && key.referencedSchema === schema)
    .sort(
      (one, other) =>
        one.name.localeCompare(other.name) ||
        one.referencedRelation.localeCompare(other.referencedRelation) ||
        JSON.stringify(one.referencedColumns).localeCompare(JSON.stringify(other.referencedColumns)),
    )
    .map(
      (key) => `{
foreignKeyName: ${quote(key.name)}
columns: ${JSON.stringify(key.columns)}${detectOneToOne ? `\nisOneToOne: ${key.isOneToOne}` : ''}
referencedRelation: ${quote(key.referencedRelation)}
referencedColumns: ${JSON.stringify(key.referencedColumns)}
}`,
    )
    .join(',\n');
}

const labelLists = (database: Introspection, schema: string): string =>
  database.types
    .filter((type) => type.schema === schema && type.labels.length > 0)
    .sort(byName)
    .map(({ name, labels }) => `${quote(name)}: [${labels.map(quote).join(', ')}]`)
    .join(',\n');
