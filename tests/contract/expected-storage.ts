import { z } from 'zod';
import type { CatalogDescription, TableDescription } from '../fixtures/catalog/describe-catalog.ts';
import { type Expectation, names, normal } from './expectation.ts';

const named = z.object({ name: z.string(), definition: z.string() });
const table = z.object({
  rls_enabled: z.boolean(),
  columns: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      not_null: z.boolean(),
      default: z.string().nullable(),
      generated_stored: z.boolean(),
      collation: z.string().nullable(),
    }),
  ),
  constraints: z.array(named),
  indexes: z.array(named),
  triggers: z.array(named),
  grants: z.array(z.object({ grantee: z.string(), privileges: z.array(z.string()) })),
});
const routine = z.object({
  name: z.string(),
  arguments: z.string(),
  returns: z.string(),
  language: z.string(),
  volatility: z.string(),
  security_definer: z.boolean(),
});
const document = z.object({
  types: z.array(z.object({ name: z.string(), labels: z.array(z.string()) })),
  tables: z.union([z.record(z.string(), table), z.array(table.extend({ name: z.string() }))]),
  functions: z.array(routine),
});

/** Upstream's ledger is closed to the API's roles by the platform, which its own migrations do not show. */
const closedTables = new Set(['migrations']);

/** What the description of upstream's `storage` schema demands of a catalog. */
export function storageExpectations(source: unknown, catalog: CatalogDescription): Expectation[] {
  const wanted = document.parse(source);
  const found = catalog.schemas.storage;
  const tables: Record<string, z.infer<typeof table>> = Array.isArray(wanted.tables)
    ? Object.fromEntries(wanted.tables.map((entry) => [entry.name, entry]))
    : wanted.tables;
  return [
    { what: 'tables of storage', expected: names(tables), actual: names(found?.tables) },
    {
      what: 'functions of storage',
      expected: wanted.functions.map(({ name }) => name).sort(),
      actual: names(found?.functions).map((signature) => signature.replace(/\(.*$/, '')),
    },
    ...wanted.types.map(({ name, labels }) => ({
      what: `type storage.${name}`,
      expected: `enum: ${labels.join(', ')}`,
      actual: found?.types[name] ?? null,
    })),
    ...Object.entries(tables).flatMap(([name, facts]) => tableExpectations(name, facts, found?.tables[name])),
    ...wanted.functions.map((facts) => functionExpectation(facts, catalog)),
  ];
}

function functionExpectation(wanted: z.infer<typeof routine>, catalog: CatalogDescription): Expectation {
  const found = Object.entries(catalog.schemas.storage?.functions ?? {}).find(([signature]) =>
    signature.startsWith(`${wanted.name}(`),
  )?.[1];
  return {
    what: `function storage.${wanted.name}`,
    expected: [wanted.arguments, wanted.returns, wanted.language, wanted.volatility, wanted.security_definer],
    actual: found && [found.arguments, found.returns, found.language, found.volatility, found.definer],
  };
}

const definitions = (of: readonly z.infer<typeof named>[], prefix = ''): Record<string, string | null> =>
  Object.fromEntries(
    of
      .map(({ name, definition }): [string, string | null] => [`${prefix}${name}`, normal(definition)])
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  );

/** Ours alone: row security does not see TRUNCATE, so a trigger refuses it. */
const ownTrigger = /^protect_\w+_truncate$/;

const sorted = (of: Record<string, string> | undefined): Record<string, string | null> =>
  definitions(Object.entries(of ?? {}).map(([name, definition]) => ({ name, definition })));

function tableExpectations(
  name: string,
  wanted: z.infer<typeof table>,
  found: TableDescription | undefined,
): Expectation[] {
  return [
    {
      what: `columns of storage.${name}`,
      expected: wanted.columns.map((column) => ({
        name: column.name,
        type: column.type,
        nullable: !column.not_null,
        default: column.generated_stored ? null : column.default,
        generated: column.generated_stored ? column.default : null,
        collation: column.collation,
      })),
      actual: found?.columns.map((column) => ({
        name: column.name,
        type: column.type,
        nullable: column.nullable,
        default: column.default,
        generated: column.generated,
        collation: column.collation,
      })),
    },
    { what: `row security of storage.${name}`, expected: wanted.rls_enabled, actual: found?.rowSecurity },
    {
      what: `constraints of storage.${name}`,
      expected: definitions(wanted.constraints),
      actual: sorted(found?.constraints),
    },
    {
      what: `indexes of storage.${name}`,
      expected: definitions(wanted.indexes, 'storage.'),
      actual: sorted(found?.indexes),
    },
    {
      what: `triggers of storage.${name}`,
      expected: definitions(wanted.triggers),
      actual: sorted(
        found &&
          Object.fromEntries(Object.entries(found.triggers).filter(([trigger]) => !ownTrigger.test(trigger))),
      ),
    },
    ...grantExpectations(name, wanted.grants, found),
  ];
}

function grantExpectations(
  name: string,
  wanted: z.infer<typeof table>['grants'],
  found: TableDescription | undefined,
): Expectation[] {
  if (closedTables.has(name)) return [];
  return wanted.map(({ grantee, privileges }) => ({
    what: `rights of ${grantee} on storage.${name}`,
    expected: privileges.map((privilege) => privilege.replace(' WITH GRANT OPTION', '*')).join(' '),
    actual: found?.grants[grantee] ?? null,
  }));
}
