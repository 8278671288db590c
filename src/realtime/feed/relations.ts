import type { RelationInfo, RoleAccess } from '../changes/model.ts';
import type { Catalog } from './catalog.ts';

/** What is known of relations and of the rights on them. */
export interface Relations {
  /** The relation, from memory while the stream has not announced it anew; null when it is gone. */
  get(oid: number): Promise<RelationInfo | null>;
  access(relation: RelationInfo, role: string): Promise<RoleAccess>;
  /** Forgets a relation: its shape, rights, policies or publication changed, and the transaction `xid` tells of it. */
  invalidate(oid: number, xid: number | null): void;
  clear(): void;
}

/** Rights also depend on memberships of roles and on schemas, which the stream does not announce. */
const accessTtlMs = 10_000;

type Known = {
  readonly info: Promise<RelationInfo | null>;
  /** What `info` resolved with. */
  current: RelationInfo | null;
  readonly access: Map<string, KnownAccess>;
};
type KnownAccess = { readonly access: Promise<RoleAccess>; readonly until: number };

/**
 * Remembers relations until the stream announces them again: the server does that before the next change whenever the
 * table, its rights, its policies or its publication were altered. A transaction can be read from the log a moment
 * before the catalog shows what it altered, so that the catalog is asked once `untilShown` has resolved for it.
 */
export function createRelations(
  catalog: Catalog,
  now: () => number,
  untilShown: (xid: number) => Promise<void>,
): Relations {
  const known = new Map<number, Known>();
  const announcedBy = new Map<number, number>();
  const load = async (oid: number): Promise<RelationInfo | null> => {
    const xid = announcedBy.get(oid);
    if (xid !== undefined) await untilShown(xid);
    return (await catalog.relations([oid])).get(oid) ?? null;
  };
  const remember = (oid: number): Known => {
    const entry: Known = { info: load(oid), current: null, access: new Map() };
    known.set(oid, entry);
    entry.info.then(
      (info) => {
        entry.current = info;
      },
      () => {
        if (known.get(oid) === entry) known.delete(oid);
      },
    );
    return entry;
  };

  return {
    get: (oid) => (known.get(oid) ?? remember(oid)).info,
    access(relation, role) {
      const entry = known.get(relation.oid);
      // A check that runs late holds a shape that the stream has replaced: rights on it are not those on the known one.
      if (entry?.current !== relation) return catalog.access(relation, role);
      const cached = entry.access.get(role);
      if (cached !== undefined && cached.until > now()) return cached.access;
      const access = catalog.access(relation, role);
      entry.access.set(role, { access, until: now() + accessTtlMs });
      access.catch(() => entry.access.delete(role));
      return access;
    },
    invalidate(oid, xid) {
      known.delete(oid);
      if (xid === null) announcedBy.delete(oid);
      else announcedBy.set(oid, xid);
    },
    clear() {
      known.clear();
      announcedBy.clear();
    },
  };
}
