import { grantChanges } from './grants.ts';
import type { Grant, SchemaObject, Snapshot } from './model.ts';
import { type Graph, graphOf } from './order.ts';
import { alterTable, createTable } from './tables.ts';

/** What turns one database into another. */
export type SchemaChange = {
  /** Statements in the order in which they can run, without semicolons. */
  readonly statements: readonly string[];
  /** What the statements leave out, in words. */
  readonly notes: readonly string[];
};

/**
 * Compares what a project has in two databases and yields the statements that turn the first into the second.
 * Nothing is renamed: what has another name was dropped and made.
 */
export function compareSchemas(left: Snapshot, right: Snapshot): SchemaChange {
  const [from, to] = withSharedPrivileges(left, right);
  const [before, after] = [graphOf(from), graphOf(to)];
  const had = byIdentity(from);
  const has = byIdentity(to);
  const { rebuilt, notes } = findRebuilt(before, after, had, has);
  const goes = (object: SchemaObject): boolean => !has.has(identity(object)) || rebuilt.has(identity(object));
  const goneKeys = new Set(before.ordered.filter(goes).map(({ key }) => key));
  const drops = [...before.ordered]
    .reverse()
    .filter((object) => goes(object) && !(object.parent !== null && goneKeys.has(object.parent)))
    .map(({ drop }) => drop);
  const makes = after.ordered.flatMap((object) => {
    const old = had.get(identity(object));
    return old === undefined || goes(old) ? make(object) : change(old, object);
  });
  return { statements: [...drops, ...makes], notes: [...notes, ...uncoveredNotes(from, to)] };
}

/** Older servers do not have the privilege. */
const MAINTAIN_SINCE = 170_000;

/** A privilege that only one of the servers knows says nothing about the schema. */
function withSharedPrivileges(left: Snapshot, right: Snapshot): readonly [Snapshot, Snapshot] {
  if (Math.min(left.serverVersion, right.serverVersion) >= MAINTAIN_SINCE) return [left, right];
  const known = ({ privilege }: Grant): boolean => privilege !== 'MAINTAIN';
  const stripped = (snapshot: Snapshot): Snapshot => ({
    ...snapshot,
    objects: snapshot.objects.map((object) => ({
      ...object,
      grants: object.grants.filter(known),
      born: object.born.filter(known),
    })),
  });
  return [stripped(left), stripped(right)];
}

const identity = ({ kind, name }: SchemaObject): string => `${kind} ${name}`;

const byIdentity = ({ objects }: Snapshot): Map<string, SchemaObject> =>
  new Map(objects.map((object) => [identity(object), object]));

function make(object: SchemaObject): readonly string[] {
  const made = object.table === null ? [object.create ?? ''] : createTable(object.name, object.table);
  return [...made, ...commentChange(null, object), ...grantChanges(object, object.born)];
}

function change(from: SchemaObject, to: SchemaObject): readonly string[] {
  const altered =
    from.table !== null && to.table !== null
      ? alterTable(to.name, from.table, to.table).statements
      : from.create === to.create
        ? []
        : alterOther(from, to);
  return [...altered, ...commentChange(from.comment, to), ...grantChanges(to, from.grants)];
}

/** For what need not be dropped: an enum gets its new labels, a sequence its settings, the rest is replaced. */
function alterOther(from: SchemaObject, to: SchemaObject): readonly string[] {
  if (from.labels !== null && to.labels !== null) return newLabels(to.name, from.labels, to.labels);
  const create = to.create ?? '';
  return [
    to.kind === 'sequence' ? create.replace('CREATE SEQUENCE IF NOT EXISTS', 'ALTER SEQUENCE') : create,
  ];
}

function newLabels(name: string, from: readonly string[], to: readonly string[]): readonly string[] {
  const known = new Set(from);
  return to.flatMap((label, index) => {
    if (known.has(label)) return [];
    const place = index === 0 ? ` BEFORE ${to[1] ?? ''}` : ` AFTER ${to[index - 1] ?? ''}`;
    return [`ALTER TYPE ${name} ADD VALUE IF NOT EXISTS ${label}${to.length > 1 ? place : ''}`];
  });
}

function commentChange(from: string | null, { comment, kind, noun, name }: SchemaObject): readonly string[] {
  if (from === comment || kind === 'extension') return [];
  const text = comment === null ? 'NULL' : `'${comment.replaceAll("'", "''")}'`;
  return [`COMMENT ON ${noun} ${name} IS ${text}`];
}

type Rebuilt = { readonly rebuilt: ReadonlySet<string>; readonly notes: readonly string[] };

/** Kinds that are dropped and made again when something beneath them is. */
const REBUILT_WITH = new Set<SchemaObject['kind']>(['view', 'policy', 'trigger', 'index', 'constraint']);

function findRebuilt(
  before: Graph,
  after: Graph,
  had: ReadonlyMap<string, SchemaObject>,
  has: ReadonlyMap<string, SchemaObject>,
): Rebuilt {
  const rebuilt = new Set<string>();
  const notes: string[] = [];
  for (const to of after.ordered) {
    const from = had.get(identity(to));
    if (from === undefined) continue;
    const disturbs =
      from.table !== null && to.table !== null && alterTable(to.name, from.table, to.table).disturbs;
    const isRebuilt = needsRebuild(from, to);
    if (!disturbs && !isRebuilt) continue;
    if (isRebuilt) rebuilt.add(identity(to));
    for (const dependent of before.dependents(from.key)) {
      if (!has.has(identity(dependent))) continue;
      // A change of type carries indexes and constraints along; only what stores text of its own must give way.
      if (disturbs && (dependent.kind === 'index' || dependent.kind === 'constraint')) continue;
      if (REBUILT_WITH.has(dependent.kind)) rebuilt.add(identity(dependent));
      else if (isRebuilt && dependent.kind !== 'sequence owner')
        notes.push(
          `${from.noun} ${from.name} is made anew, which fails while ${dependent.noun} ${dependent.name} uses it`,
        );
    }
  }
  return { rebuilt, notes };
}

/** Whether a changed object can only be dropped and made again. */
function needsRebuild(from: SchemaObject, to: SchemaObject): boolean {
  if (from.create === to.create || from.table !== null) return false;
  if (from.kind === 'sequence' || from.kind === 'sequence owner') return false;
  if (from.labels !== null && to.labels !== null) return !isExtended(from.labels, to.labels);
  if (from.shape === null || to.shape === null) return true;
  if (from.kind === 'function') return from.shape.join('\n') !== to.shape.join('\n');
  return !from.shape.every((column, index) => to.shape?.[index] === column);
}

/** Whether the old labels are all there, in their order. */
function isExtended(from: readonly string[], to: readonly string[]): boolean {
  const known = new Set(from);
  return to.filter((label) => known.has(label)).join('\n') === from.join('\n');
}

function uncoveredNotes(from: Snapshot, to: Snapshot): readonly string[] {
  const all = new Set([...Object.keys(from.uncovered), ...Object.keys(to.uncovered)]);
  return [...all].sort().flatMap((kind) => {
    const count = Math.max(from.uncovered[kind] ?? 0, to.uncovered[kind] ?? 0);
    return count === 0 ? [] : [`${count} of kind ${kind}: not compared`];
  });
}
