import { z } from 'zod';
import type { CatalogDescription, TableDescription } from '../fixtures/catalog/describe-catalog.ts';
import { type Expectation, names, normal } from './expectation.ts';

const key = z.object({ name: z.string(), columns: z.array(z.string()) });
const table = z.object({
  owner: z.string(),
  row_level_security: z.boolean(),
  columns: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      nullable: z.boolean(),
      default: z.string().nullable(),
      generated_stored: z.string().optional(),
    }),
  ),
  primary_key: key.nullable(),
  unique_constraints: z.array(key),
  foreign_keys: z.array(
    key.extend({
      references: z.string(),
      ref_columns: z.array(z.string()),
      on_delete: z.string().optional(),
    }),
  ),
  checks: z.array(z.object({ name: z.string(), def: z.string() })),
  indexes: z.array(
    z.object({
      name: z.string(),
      unique: z.boolean(),
      method: z.string(),
      keys: z.array(z.string()),
      where: z.string().nullable(),
    }),
  ),
});
const document = z.object({
  enums: z.record(z.string(), z.array(z.string())),
  tables: z.record(z.string(), table),
  functions: z.record(z.string(), z.unknown()),
});

const functionFacts = z.object({
  returns: z.string(),
  language: z.string(),
  volatility: z.string(),
  security: z.string(),
});

/** What the description of upstream's `auth` schema demands of a catalog. */
export function authExpectations(source: unknown, catalog: CatalogDescription): Expectation[] {
  const wanted = document.parse(source);
  const found = catalog.schemas.auth;
  const tables = Object.entries(wanted.tables).flatMap(([name, facts]) =>
    tableExpectations(name, facts, found?.tables[name]),
  );
  const enums = Object.entries(wanted.enums).map(([name, labels]) => ({
    what: `type auth.${name}`,
    expected: `enum: ${labels.join(', ')}`,
    actual: found?.types[name] ?? null,
  }));
  return [
    { what: 'tables of auth', expected: names(wanted.tables), actual: names(found?.tables) },
    ...enums,
    ...tables,
    ...functionExpectations(wanted.functions, catalog),
  ];
}

function functionExpectations(wanted: Record<string, unknown>, catalog: CatalogDescription): Expectation[] {
  return Object.entries(wanted)
    .filter(([signature]) => signature.startsWith('auth.'))
    .map(([signature, facts]) => {
      const { returns, language, volatility, security } = functionFacts.parse(facts);
      const found = catalog.schemas.auth?.functions[signature.slice('auth.'.length)];
      return {
        what: `function ${signature}`,
        expected: [returns, language, volatility, security === 'definer'],
        actual: found && [found.returns, found.language, found.volatility, found.definer],
      };
    });
}

function tableExpectations(
  name: string,
  wanted: z.infer<typeof table>,
  found: TableDescription | undefined,
): Expectation[] {
  const constraints = constraintsOf(wanted);
  const columns = wanted.columns.map((column) => ({
    name: column.name,
    type: column.type,
    nullable: column.nullable,
    default: normalDefault(column.generated_stored === undefined ? column.default : null),
    generated: column.generated_stored ?? null,
  }));
  return [
    {
      what: `columns of auth.${name}`,
      expected: columns,
      actual: found?.columns.map((column) => ({
        name: column.name,
        type: column.type.replace(/^auth\./, 'auth.'),
        nullable: column.nullable,
        default: normalDefault(column.default),
        generated: bare(column.generated),
      })),
    },
    { what: `owner of auth.${name}`, expected: wanted.owner, actual: found?.owner },
    { what: `row security of auth.${name}`, expected: wanted.row_level_security, actual: found?.rowSecurity },
    {
      what: `constraints of auth.${name}`,
      expected: names(constraints),
      actual: names(found?.constraints),
    },
    ...Object.entries(constraints).map(([constraint, definition]) => ({
      what: `constraint ${constraint} of auth.${name}`,
      expected: definition,
      actual: normal(found?.constraints[constraint]),
    })),
    {
      what: `indexes of auth.${name}`,
      expected: wanted.indexes.map((index) => `auth.${index.name}`).sort(),
      actual: names(found?.indexes),
    },
    ...wanted.indexes.map((index) => ({
      what: `index ${index.name} of auth.${name}`,
      expected: indexDefinition(name, index),
      actual: comparable(found?.indexes[`auth.${index.name}`]),
    })),
  ];
}

const bare = (expression: string | null): string | null => {
  const outer = expression?.match(/^\((.*)\)$/s)?.[1];
  return outer !== undefined && !/^[^(]*\)/.test(outer) ? outer : expression;
};

/** Sequences print with or without their schema, by the reader's search path. */
const normalDefault = (expression: string | null): string | null =>
  expression?.replace("nextval('refresh_tokens", "nextval('auth.refresh_tokens") ?? null;

function constraintsOf(wanted: z.infer<typeof table>): Record<string, string> {
  const list = (columns: readonly string[]) => `(${columns.join(', ')})`;
  const entries: [string, string][] = [
    ...wanted.unique_constraints.map(({ name, columns }): [string, string] => [
      name,
      `UNIQUE ${list(columns)}`,
    ]),
    ...wanted.checks.map(({ name, def }): [string, string] => [name, def]),
    ...wanted.foreign_keys.map(({ name, columns, references, ref_columns, on_delete }): [string, string] => [
      name,
      `FOREIGN KEY ${list(columns)} REFERENCES ${references}${list(ref_columns)}${
        on_delete === undefined || on_delete === 'NO ACTION' ? '' : ` ON DELETE ${on_delete}`
      }`,
    ]),
  ];
  const primary = wanted.primary_key;
  if (primary !== null) entries.push([primary.name, `PRIMARY KEY ${list(primary.columns)}`]);
  return Object.fromEntries(entries);
}

function indexDefinition(name: string, index: z.infer<typeof table>['indexes'][number]): string | null {
  const unique = index.unique ? 'UNIQUE ' : '';
  const where = index.where === null ? '' : ` WHERE ${index.where}`;
  return comparable(
    `CREATE ${unique}INDEX ${index.name} ON auth.${name} USING ${index.method} (${index.keys.join(', ')})${where}`,
  );
}

/** The description names neither sort direction nor operator class; parentheses are the printer's taste. */
const comparable = (definition: string | undefined): string | null =>
  normal(definition)
    ?.replace(/[()]/g, '')
    .replace(/ (DESC|text_pattern_ops)\b/g, '')
    .replace(/ +/g, ' ') ?? null;
