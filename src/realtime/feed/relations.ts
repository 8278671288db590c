import type { RelationInfo, RoleAccess } from '../changes/model.ts';
import type { Catalog } from './catalog.ts';

/** What is known of relations and of the rights on them. */
export interface Relations {
  /** The relation, from memory while the stream has not announced it anew; null when it is gone. */
  get(oid: number): Promise<RelationInfo | null>;
  /** The relations as they are now. */
  fresh(oids: readonly number[]): Promise<readonly RelationInfo[]>;
  access(relation: RelationInfo, role: string): Promise<RoleAccess>;
  /** Forgets a relation: its shape, rights, policies or publication changed. */
  invalidate(oid: number): void;
  clear(): void;
}

/** Rights also depend on memberships of roles and on schemas, which the stream does not announce. */
const accessTtlMs = 10_000;

type Known = { readonly info: Promise<RelationInfo | null>; readonly access: Map<string, KnownAccess> };
type KnownAccess = { readonly access: Promise<RoleAccess>; readonly until: number };

/**
 * Remembers relations until the stream announces them again: the server does that before the next change whenever the
 * table, its rights, its policies or its publication were altered.
 */
export function createRelations(catalog: Catalog, now: () => number): Relations {
  const known = new Map<number, Known>();
  const remember = (oid: number, info: Promise<RelationInfo | null>): Known => {
    const entry = { info, access: new Map<string, KnownAccess>() };
    known.set(oid, entry);
    info.catch(() => {
      if (known.get(oid) === entry) known.delete(oid);
    });
    return entry;
  };
  const load = async (oid: number): Promise<RelationInfo | null> =>
    (await catalog.relations([oid])).get(oid) ?? null;

  return {
    get: (oid) => (known.get(oid) ?? remember(oid, load(oid))).info,
    async fresh(oids) {
      if (oids.length === 0) return [];
      const loaded = await catalog.relations(oids);
      for (const [oid, info] of loaded) remember(oid, Promise.resolve(info));
      return [...loaded.values()];
    },
    access(relation, role) {
      const entry = known.get(relation.oid);
      // A check that runs late holds a shape that the stream has replaced: it must not become the known one again.
      if (entry === undefined) return catalog.access(relation, role);
      const cached = entry.access.get(role);
      if (cached !== undefined && cached.until > now()) return cached.access;
      const access = catalog.access(relation, role);
      entry.access.set(role, { access, until: now() + accessTtlMs });
      access.catch(() => entry.access.delete(role));
      return access;
    },
    invalidate: (oid) => {
      known.delete(oid);
    },
    clear: () => known.clear(),
  };
}
