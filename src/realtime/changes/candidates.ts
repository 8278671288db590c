import type { Relations } from '../feed/relations.ts';
import { changeError, encodeChange, encodeError } from './encode.ts';
import { matchFilters, type OpenFilter } from './match.ts';
import type { Change, RoleAccess } from './model.ts';
import type { Group, SubscriptionIndex } from './subscription-index.ts';
import type { JsonCasts } from './values.ts';

/** A group that a change may reach, and what that still depends on. */
export type Candidate = {
  readonly group: Group;
  /** The change as JSON text, with the columns that are for this group. */
  readonly data: () => string;
  /** Filters that only the database can decide. */
  readonly open: readonly OpenFilter[];
  /** Whether row security has to be asked. */
  readonly needsCheck: boolean;
};

/** What roles may do with the relations of a batch. */
export type AccessTable = (change: Change, role: string) => RoleAccess;

const noAccess: RoleAccess = { columns: new Set(), bypassesRowSecurity: false };

/** Looks up the rights that a batch needs, each once. */
export async function readAccess(
  changes: readonly Change[],
  index: SubscriptionIndex,
  relations: Relations,
): Promise<AccessTable> {
  const wanted = new Map<string, Promise<RoleAccess>>();
  const keyOf = ({ relation }: Change, role: string): string => `${relation.oid} ${role}`;
  for (const change of changes) {
    for (const { interest } of index.candidates(change)) {
      const key = keyOf(change, interest.role);
      if (!wanted.has(key)) wanted.set(key, relations.access(change.relation, interest.role));
    }
  }
  const known = new Map<string, RoleAccess>();
  for (const [key, access] of wanted) known.set(key, await access);
  return (change, role) => known.get(keyOf(change, role)) ?? noAccess;
}

/** The groups among `fresh` that a change may reach. Groups of one role and selection share the encoded change. */
export function candidatesOf(
  change: Change,
  groups: readonly Group[],
  accessOf: AccessTable,
  casts: JsonCasts,
): readonly Candidate[] {
  const texts = new Map<string, string>();
  return groups.flatMap((group) => {
    if (!hasListeners(group, change)) return [];
    const candidate = toCandidate(change, group, accessOf(change, group.interest.role), casts, texts);
    return candidate === null ? [] : [candidate];
  });
}

function toCandidate(
  change: Change,
  group: Group,
  access: RoleAccess,
  casts: JsonCasts,
  texts: Map<string, string>,
): Candidate | null {
  const { filters, role, select } = group.interest;
  const error = changeError(change, access);
  if (error !== null) {
    return { group, open: [], needsCheck: false, data: () => encodeError(change, error) };
  }
  const match = matchFilters(change, filters);
  if (match === 'no') return null;
  const { relation, kind } = change;
  const variant = select === null ? role : JSON.stringify([role, select]);
  return {
    group,
    open: match,
    needsCheck: relation.hasRowSecurity && kind !== 'DELETE' && !access.bypassesRowSecurity,
    data() {
      const text = texts.get(variant) ?? encodeChange(change, access, select, casts);
      texts.set(variant, text);
      return text;
    },
  };
}

function hasListeners({ subscribers }: Group, { commitLsn }: Change): boolean {
  for (const { sinceLsn } of subscribers) if (commitLsn >= sinceLsn) return true;
  return false;
}
