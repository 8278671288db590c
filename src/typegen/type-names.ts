import type { Introspection, PgType, Relation } from './model.ts';

const NUMBERS = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric']);
const STRINGS = new Set([
  'bytea',
  'bpchar',
  'varchar',
  'date',
  'text',
  'citext',
  'time',
  'timetz',
  'timestamp',
  'timestamptz',
  'uuid',
  'vector',
  'interval',
]);

/** The words that stand for themselves. */
const WORDS: Readonly<Record<string, string>> = {
  bool: 'boolean',
  json: 'Json',
  jsonb: 'Json',
  void: 'undefined',
  record: 'Record<string, unknown>',
};

/** Quotes a name or label as TypeScript does. */
export const quote = (text: string): string => JSON.stringify(text);

/** Adds `null`, except to types that hold it already. */
export const nullable = (type: string, isNullable: boolean): string =>
  isNullable && type !== 'unknown' && type !== 'any' ? `${type} | null` : type;

/** The TypeScript types of Postgres types, as they are named inside one schema. */
export type TypeNames = {
  readonly byName: (name: string) => string;
  readonly byId: (id: number) => string;
};

/**
 * Names types for one schema: of several with one name, its own comes first. Types outside the described schemas are
 * spelled out when they are enums, and unknown otherwise.
 * Upstream: postgres-meta src/server/templates/typescript.ts (pgTypeToTsType).
 */
export function typeNames(database: Introspection, schema: string): TypeNames {
  const described = new Set(database.schemas);
  const byId = new Map(database.types.map((type) => [type.id, type]));
  const preferred = <T extends { readonly schema: string }>(found: readonly T[]): T | undefined =>
    found.find((one) => one.schema === schema) ?? found[0];
  const member = (group: string, one: { readonly schema: string; readonly name: string }): string =>
    `Database[${quote(one.schema)}][${quote(group)}][${quote(one.name)}]`;

  const userType = (name: string): string => {
    const namesake = (types: readonly PgType[]): PgType | undefined =>
      preferred(types.filter((type) => type.name === name));
    const enumType = namesake(database.types.filter(({ labels }) => labels.length > 0));
    if (enumType) {
      if (described.has(enumType.schema)) return member('Enums', enumType);
      return enumType.labels.map(quote).join(' | ');
    }
    const composite = namesake(database.types.filter(({ attributes }) => attributes.length > 0));
    if (composite) return described.has(composite.schema) ? member('CompositeTypes', composite) : 'unknown';
    return rowType(name) ?? 'unknown';
  };
  const rowType = (name: string): string | undefined => {
    const rows = (kind: Relation['kind'], group: string): string | undefined => {
      const found = preferred(
        database.relations.filter((relation) => relation.kind === kind && relation.name === name),
      );
      if (!found) return undefined;
      return described.has(found.schema) ? `${member(group, found)}["Row"]` : 'unknown';
    };
    return rows('table', 'Tables') ?? rows('view', 'Views');
  };
  const byName = (name: string): string => {
    if (NUMBERS.has(name)) return 'number';
    if (STRINGS.has(name)) return 'string';
    const word = WORDS[name];
    if (word !== undefined) return word;
    return name.startsWith('_') ? `(${byName(name.slice(1))})[]` : userType(name);
  };
  return {
    byName,
    byId(id) {
      const type = byId.get(id);
      return type === undefined ? 'unknown' : byName(type.name);
    },
  };
}
