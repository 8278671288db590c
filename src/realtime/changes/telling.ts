import { type ChangeError, changeError, encodeChange, encodeError } from './encode.ts';
import type { Change, RelationInfo, RoleAccess } from './model.ts';
import type { SightQuestion } from './questions.ts';
import type { Group } from './subscription-index.ts';
import type { JsonCasts } from './values.ts';

/** How changes of one relation look to those who share a role and a selection of columns. */
export type Form = {
  readonly access: RoleAccess;
  readonly select: readonly string[] | null;
  /** What is told instead of a new or altered row; null when the row can be shown. */
  readonly error: ChangeError | null;
};

/** The form for a role's rights and a selection. */
export const formOf = (
  relation: RelationInfo,
  access: RoleAccess,
  select: readonly string[] | null,
): Form => ({ access, select, error: changeError(relation, access) });

/** A group that changes of one relation may reach, and what that depends on beside its filters. */
export type Candidate = {
  readonly group: Group;
  readonly form: Form;
  /** What row security is asked about new and altered rows. */
  readonly check: SightCheck;
  /** What it is asked about rows that are gone. */
  readonly deletedCheck: SightCheck;
};

/** A question to row security; `lane` for a group whose checks are in the slow lane, null where nothing is asked. */
type SightCheck = SightQuestion | 'lane' | null;

/** What row security is asked for this change. */
export const checkFor = ({ check, deletedCheck }: Candidate, { kind }: Change): SightCheck =>
  kind === 'DELETE' ? deletedCheck : check;

/** A change as it is told: each form of it is made once, when it is first needed. */
export class Telling {
  readonly change: Change;
  readonly #casts: JsonCasts;
  readonly #texts = new Map<Form, string>();

  constructor(change: Change, casts: JsonCasts) {
    this.change = change;
    this.#casts = casts;
  }

  /** JSON text of `data`. */
  text(form: Form): string {
    const known = this.#texts.get(form);
    if (known !== undefined) return known;
    const { change } = this;
    const text =
      form.error !== null && change.kind !== 'DELETE'
        ? encodeError(change, form.error)
        : encodeChange(change, form.access, form.select, this.#casts);
    this.#texts.set(form, text);
    return text;
  }
}
