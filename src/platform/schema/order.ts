import { kinds, type SchemaObject, type Snapshot } from './model.ts';

/** Objects of one snapshot with what they need, by key. */
export type Graph = {
  /** In an order in which they can be made. */
  readonly ordered: readonly SchemaObject[];
  /** Objects that need one, directly or through others. */
  readonly dependents: (key: string) => readonly SchemaObject[];
};

/**
 * Orders objects so that what is needed comes first; what nothing decides goes by kind and name. Where two need each
 * other (which a function's body may bring about) the one that comes first by kind is made first.
 */
export function graphOf({ objects, dependencies, parts }: Snapshot): Graph {
  const byKey = new Map(objects.map((object) => [object.key, object]));
  const needs = new Map<string, Set<string>>();
  const neededBy = new Map<string, Set<string>>();
  const wholes = new Map(parts.map(([part, whole]) => [part, whole]));
  const link = (dependent: string, needed: string): void => {
    if (dependent === needed || !byKey.has(dependent) || !byKey.has(needed)) return;
    needs.set(dependent, (needs.get(dependent) ?? new Set()).add(needed));
    neededBy.set(needed, (neededBy.get(needed) ?? new Set()).add(dependent));
  };
  for (const [dependent, needed] of dependencies) link(wholeOf(dependent, wholes), wholeOf(needed, wholes));
  for (const { key, parent } of objects) if (parent !== null) link(key, parent);
  return {
    ordered: inOrder(objects, (object) =>
      [...(needs.get(object.key) ?? [])].flatMap((key) => byKey.get(key) ?? []),
    ),
    dependents: (key) => reach(key, neededBy).flatMap((found) => byKey.get(found) ?? []),
  };
}

/** A row type of an index of a constraint is two steps away; nothing is further. */
const MAX_STEPS = 4;

function wholeOf(key: string, wholes: ReadonlyMap<string, string>): string {
  let here = key;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const next = wholes.get(here);
    if (next === undefined) return here;
    here = next;
  }
  return here;
}

function inOrder(
  objects: readonly SchemaObject[],
  needed: (object: SchemaObject) => readonly SchemaObject[],
): readonly SchemaObject[] {
  const sorted = [...objects].sort(byKindAndName);
  const seen = new Set<string>();
  const ordered: SchemaObject[] = [];
  const visit = (object: SchemaObject): void => {
    if (seen.has(object.key)) return;
    seen.add(object.key);
    for (const other of [...needed(object)].sort(byKindAndName)) visit(other);
    ordered.push(object);
  };
  for (const object of sorted) visit(object);
  return ordered;
}

function byKindAndName(a: SchemaObject, b: SchemaObject): number {
  const byKind = kinds.indexOf(a.kind) - kinds.indexOf(b.kind);
  if (byKind !== 0) return byKind;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function reach(start: string, edges: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const found = new Set<string>();
  const queue = [start];
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    for (const next of edges.get(key) ?? []) {
      if (found.has(next) || next === start) continue;
      found.add(next);
      queue.push(next);
    }
  }
  return [...found];
}
