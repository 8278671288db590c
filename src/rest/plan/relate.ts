import { type Catalog, isToOne, type QualifiedName, type Relationship } from '../../catalog/model.ts';
import { findRelationship } from './find-relationship.ts';
import type { JoinCondition } from './model.ts';
import type { Draft, PassOutcome } from './tree.ts';

/** Name of the common table expression that a write or a call leaves its rows in. */
export const sourceName: QualifiedName = { schema: '', name: 'pgrst_source' };

const unqualified = (name: string): QualifiedName => ({ schema: '', name });

/** Lets the root read the rows of the statement's own write or call, under the name of their relation. */
export function readFromSource(root: Draft): void {
  root.fromAlias = root.from.name;
  root.from = sourceName;
  root.source = { kind: 'relation', name: sourceName, junction: null };
  root.qualifier = unqualified(root.fromAlias);
}

/**
 * Finds the relationship of every embed with its parent, and with it what is joined and how.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Plan.hs (addRels).
 */
export function relateChildren(catalog: Catalog, schema: string, parent: Draft, depth: number): PassOutcome {
  // The source of a write goes by the alias, which is its relation's name; deeper relations have made-up aliases.
  const origin = depth === 1 ? (parent.fromAlias ?? parent.from.name) : parent.from.name;
  for (const child of parent.children) {
    const found = findRelationship(catalog, { schema, origin, target: child.name, hint: child.hint });
    if (!found.ok) return found.error;
    relate(parent, child, found.value, depth);
    const failure = relateChildren(catalog, schema, child, depth + 1);
    if (failure !== null) return failure;
  }
  return null;
}

function relate(parent: Draft, child: Draft, relationship: Relationship, depth: number): void {
  const { foreignTable } = relationship;
  child.relationship = relationship;
  child.from = foreignTable;
  child.embedAlias = `${relationship.table.name}_${child.alias ?? child.name}_${depth}`;
  if (child.spread !== null && !isToOne(relationship)) child.spread = 'to-many';
  if (relationship.kind === 'many-to-many') {
    // The junction stands beside the relation in FROM: neither needs an alias.
    child.source = { kind: 'relation', name: foreignTable, junction: relationship.junction };
    child.qualifier = foreignTable;
  } else {
    child.fromAlias = `${foreignTable.name}_${depth}`;
    child.qualifier = unqualified(child.fromAlias);
    child.source =
      relationship.kind === 'computed'
        ? {
            kind: 'computed',
            function: relationship.function,
            argument: parent.fromAlias ?? relationship.table.name,
            argumentType: relationship.table,
          }
        : { kind: 'relation', name: foreignTable, junction: null };
  }
  child.joinConditions = joinConditions(relationship, child.fromAlias, parent.fromAlias);
}

function joinConditions(
  relationship: Relationship,
  alias: string | null,
  parentAlias: string | null,
): JoinCondition[] {
  const { schema } = relationship.table;
  const own = parentAlias === null ? { schema, name: relationship.table.name } : unqualified(parentAlias);
  const named = (name: string): QualifiedName => ({ schema, name });
  switch (relationship.kind) {
    case 'computed':
      return [];
    case 'many-to-many': {
      const junction = named(relationship.junction.name);
      const foreign = named(relationship.foreignTable.name);
      return [
        ...relationship.junction.targetColumns.map(([column, inner]) =>
          equal(junction, inner, foreign, column),
        ),
        ...relationship.junction.sourceColumns.map(([column, inner]) => equal(junction, inner, own, column)),
      ];
    }
    default: {
      const foreign = alias === null ? named(relationship.foreignTable.name) : unqualified(alias);
      return relationship.columns.map(([column, foreignColumn]) =>
        equal(foreign, foreignColumn, own, column),
      );
    }
  }
}

const equal = (
  table: QualifiedName,
  column: string,
  other: QualifiedName,
  otherColumn: string,
): JoinCondition => ({ left: { table, column }, right: { table: other, column: otherColumn } });
