import type { Relations } from '../feed/relations.ts';
import { DeletedRows } from './deleted-rows.ts';
import type { Change, RelationInfo, RoleAccess } from './model.ts';
import type { Questions } from './questions.ts';
import { AskedRows, type RowSet } from './row-key.ts';
import type { SlowLane } from './slow-lane.ts';
import type { Group } from './subscription-index.ts';
import { type Candidate, type Form, formOf } from './telling.ts';

/** What is known of one relation in a batch. */
type Sheet = {
  readonly rows: AskedRows;
  readonly deleted: DeletedRows;
  readonly accesses: ReadonlyMap<string, RoleAccess>;
  readonly forms: Map<string, Form>;
  readonly candidates: Map<Group, Candidate>;
  readonly lists: Map<readonly Group[], readonly Candidate[]>;
};

/** Finds the candidates among groups; what many changes have in common is worked out once. */
export interface Candidates {
  of(change: Change, groups: readonly Group[]): readonly Candidate[];
  /** The place of the changed row in the questions; null when it cannot be asked about. */
  placeOf(change: Change): number | null;
}

/** What candidates are worked out with. */
export type CandidatesOptions = {
  readonly relations: Relations;
  readonly questions: Questions;
  readonly slowLane: SlowLane;
  /** Whether only those are told of a deleted row who could see it. */
  readonly checksDeleted: boolean;
};

const noAccess: RoleAccess = { columns: new Set(), bypassesRowSecurity: false, policy: 'false' };

/** Looks up the rights that a batch needs, each once: `found` has the groups of each change. */
export async function readCandidates(
  changes: readonly Change[],
  found: readonly (readonly Group[])[],
  options: CandidatesOptions,
): Promise<Candidates> {
  const sheets = new Map<RelationInfo, Sheet>();
  for (const [relation, roles] of rolesByRelation(changes, found)) {
    const accesses = new Map<string, RoleAccess>();
    for (const role of roles) accesses.set(role, await options.relations.access(relation, role));
    sheets.set(relation, {
      rows: new AskedRows(relation),
      deleted: new DeletedRows(relation),
      accesses,
      forms: new Map(),
      candidates: new Map(),
      lists: new Map(),
    });
  }
  return {
    of({ relation }, groups) {
      const sheet = sheets.get(relation);
      if (sheet === undefined) return [];
      const known = sheet.lists.get(groups);
      if (known !== undefined) return known;
      const candidates = groups.map((group) => candidateOf(group, sheet, options));
      sheet.lists.set(groups, candidates);
      return candidates;
    },
    placeOf(change) {
      const sheet = sheets.get(change.relation);
      if (sheet === undefined) return null;
      if (change.kind !== 'DELETE') return sheet.rows.placeOf(change);
      return options.checksDeleted ? sheet.deleted.placeOf(change) : null;
    },
  };
}

function rolesByRelation(
  changes: readonly Change[],
  found: readonly (readonly Group[])[],
): ReadonlyMap<RelationInfo, ReadonlySet<string>> {
  const roles = new Map<RelationInfo, Set<string>>();
  const seen = new Map<readonly Group[], RelationInfo>();
  changes.forEach(({ relation }, i) => {
    const groups = found[i] ?? [];
    if (seen.get(groups) === relation) return;
    seen.set(groups, relation);
    const ofRelation = roles.get(relation) ?? new Set();
    roles.set(relation, ofRelation);
    for (const { interest } of groups) ofRelation.add(interest.role);
  });
  return roles;
}

function candidateOf(
  group: Group,
  sheet: Sheet,
  { questions, slowLane, checksDeleted }: CandidatesOptions,
): Candidate {
  const known = sheet.candidates.get(group);
  if (known !== undefined) return known;
  const { role, claims, select } = group.interest;
  const { rows, deleted, forms } = sheet;
  const access = sheet.accesses.get(role) ?? noAccess;
  const variant = select === null ? role : JSON.stringify([role, select]);
  const form = forms.get(variant) ?? formOf(rows.relation, access, select);
  forms.set(variant, form);
  const isChecked = rows.relation.hasRowSecurity && !access.bypassesRowSecurity;
  const inLane = isChecked && slowLane.holds(role, claims, rows.relation);
  const checkOf = (asked: RowSet): Candidate['check'] =>
    !isChecked ? null : inLane ? 'lane' : questions.visibility(role, claims, asked, access.policy);
  const candidate: Candidate = {
    ...{ group, form },
    check: checkOf(rows),
    deletedCheck: checksDeleted ? checkOf(deleted) : null,
  };
  sheet.candidates.set(group, candidate);
  return candidate;
}
