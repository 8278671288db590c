import { createFuzzySet, defaultMinScore } from '../../catalog/fuzzy-set.ts';
import type {
  Catalog,
  ColumnPair,
  JunctionRelationship,
  KeyRelationship,
  Relationship,
} from '../../catalog/model.ts';
import { assertNever, err, ok, type Result } from '../../core/result.ts';
import { type RestError, restErrors } from '../errors.ts';

/** What an embed asks for: `origin?select=target!hint(...)`. */
export type RelationshipSearch = {
  readonly schema: string;
  readonly origin: string;
  readonly target: string;
  readonly hint: string | null;
};

/**
 * The relationship that an embed means. None, or more than one, is an error that names the candidates.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Plan.hs (findRel).
 */
export function findRelationship(
  catalog: Catalog,
  search: RelationshipSearch,
): Result<Relationship, RestError> {
  const known = catalog.relationships(search.schema, search.origin);
  const matching = known?.filter((relationship) => matches(relationship, search.target, search.hint)) ?? [];
  const [only, ...others] = matching;
  if (only === undefined) return err(noRelationship(catalog, search, known));
  return others.length === 0 ? ok(only) : err(ambiguous(search, matching));
}

function matches(relationship: Relationship, target: string, hint: string | null): boolean {
  if (relationship.kind === 'computed') return target === relationship.function.name;
  if (relationship.isSelf) return matchesSelf(relationship, target, hint);
  const isNamed = target === relationship.foreignTable.name;
  if (hint !== null) return isNamed && matchesHint(relationship, hint);
  if (isNamed) return true;
  if (relationship.kind === 'many-to-many' || relationship.foreignTableIsView) return false;
  return target === relationship.constraint || target === ownColumn(relationship);
}

/**
 * A reference of a relation to itself is one key seen from two sides: the relation's name means the many,
 * the column's name the one.
 */
function matchesSelf(
  relationship: KeyRelationship | JunctionRelationship,
  target: string,
  hint: string | null,
): boolean {
  const isNamed = target === relationship.foreignTable.name && relationship.kind === 'one-to-many';
  if (hint === null)
    return isNamed || (relationship.kind === 'many-to-one' && target === ownColumn(relationship));
  return isNamed && hint === foreignColumn(relationship);
}

function matchesHint(relationship: KeyRelationship | JunctionRelationship, hint: string): boolean {
  if (relationship.kind === 'many-to-many') return hint === relationship.junction.name;
  return (
    hint === relationship.constraint ||
    hint === ownColumn(relationship) ||
    hint === foreignColumn(relationship)
  );
}

const onlyPair = ({ columns }: KeyRelationship): ColumnPair | null =>
  columns.length === 1 ? (columns[0] ?? null) : null;
const ownColumn = (relationship: KeyRelationship): string | null => onlyPair(relationship)?.[0] ?? null;
const foreignColumn = (relationship: KeyRelationship): string | null => onlyPair(relationship)?.[1] ?? null;

function noRelationship(
  catalog: Catalog,
  { schema, origin, target, hint }: RelationshipSearch,
  known: readonly Relationship[] | undefined,
): RestError {
  const using = hint === null ? '' : `' using the hint '${hint}`;
  return restErrors.noRelationship({
    parent: origin,
    child: target,
    details: `Searched for a foreign key relationship between '${origin}' and '${target}${using}' in the schema '${schema}', but no matches were found.`,
    hint: suggestion(catalog, schema, origin, target, known),
  });
}

/** The nearest parent when the parent has no relationships, else the nearest child that is not the child itself. */
function suggestion(
  catalog: Catalog,
  schema: string,
  origin: string,
  target: string,
  known: readonly Relationship[] | undefined,
): string | null {
  if (known === undefined) {
    const parents = createFuzzySet(catalog.relationshipSources(schema));
    const parent = parents.closest(origin, defaultMinScore);
    return parent === null ? null : `Perhaps you meant '${parent}' instead of '${origin}'.`;
  }
  const children = createFuzzySet(known.map(({ foreignTable }) => foreignTable.name));
  const child = children.matches(target, defaultMinScore).find(({ score }) => score < 1);
  return child === undefined ? null : `Perhaps you meant '${child.name}' instead of '${target}'.`;
}

function ambiguous({ origin, target }: RelationshipSearch, found: readonly Relationship[]): RestError {
  return restErrors.ambiguousRelationship({
    parent: origin,
    child: target,
    candidates: found.map(describeCandidate),
    hints: found.map((relationship) => `'${relationship.foreignTable.name}!${hintFor(relationship)}'`),
  });
}

function hintFor(relationship: Relationship): string {
  switch (relationship.kind) {
    case 'many-to-many':
      return relationship.junction.name;
    case 'computed':
      return relationship.function.name;
    case 'many-to-one':
    case 'one-to-one':
    case 'one-to-many':
      return relationship.constraint;
    default:
      return assertNever(relationship);
  }
}

const list = (names: readonly string[]): string => `(${names.join(', ')})`;

function describeCandidate(relationship: Relationship): Record<string, string> {
  const { table, foreignTable, kind } = relationship;
  const embedding = `${table.name} with ${foreignTable.name}`;
  if (kind === 'computed') return {};
  if (kind === 'many-to-many') {
    const { junction } = relationship;
    const source = junction.sourceConstraint + list(junction.sourceColumns.map(([, inner]) => inner));
    const other = junction.targetConstraint + list(junction.targetColumns.map(([, inner]) => inner));
    return { cardinality: kind, embedding, relationship: `${junction.name} using ${source} and ${other}` };
  }
  const own = table.name + list(relationship.columns.map(([column]) => column));
  const foreign = foreignTable.name + list(relationship.columns.map(([, column]) => column));
  return {
    cardinality: kind,
    embedding,
    relationship: `${relationship.constraint} using ${own} and ${foreign}`,
  };
}
