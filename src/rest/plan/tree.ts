import type { Catalog, QualifiedName } from '../../catalog/model.ts';
import { type RestError, restErrors } from '../errors.ts';
import type { At, SelectField, SelectItem, SelectRelation } from '../parse/model.ts';
import { allRows } from '../parse/row-range.ts';
import { outputField } from './field.ts';
import type { ReadPlan, SelectPlan, SpreadOrder } from './model.ts';

/** A read plan while it is being made: the passes of the planner fill it in, one after the other. */
export type Draft = { -readonly [K in keyof Omit<ReadPlan, 'children'>]: ReadPlan[K] } & {
  children: Draft[];
};

/** What a pass gives back: nothing, or the error that ends planning. */
export type PassOutcome = RestError | null;

const noOrder: SpreadOrder = { select: [], order: [] };

function emptyDraft(from: QualifiedName): Draft {
  return {
    select: [],
    from,
    fromAlias: null,
    source: { kind: 'relation', name: from, junction: null },
    qualifier: from,
    where: [],
    order: [],
    range: allRows,
    joinConditions: [],
    name: from.name,
    alias: null,
    hint: null,
    join: null,
    embedAlias: '',
    spread: null,
    spreadOrder: noOrder,
    relationship: null,
    embeds: [],
    children: [],
    isShape: false,
  };
}

/** The tree that a select list draws, with the relations still as they were named. */
export function draftTree(catalog: Catalog, relation: QualifiedName, items: readonly SelectItem[]): Draft {
  const draft = emptyDraft(relation);
  addItems(catalog, draft, items);
  return draft;
}

function addItems(catalog: Catalog, draft: Draft, items: readonly SelectItem[]): void {
  const select: SelectPlan[] = [];
  for (const item of items) {
    if (item.kind === 'field') select.push(planField(catalog, draft.from, item));
    else draft.children.push(draftChild(catalog, draft.from.schema, item));
  }
  draft.select = select;
}

const planField = (catalog: Catalog, relation: QualifiedName, item: SelectField): SelectPlan => ({
  field: outputField(catalog, relation, item.field),
  aggregate: item.aggregate,
  aggregateCast: item.aggregateCast,
  cast: item.cast,
  alias: item.alias,
});

function draftChild(catalog: Catalog, schema: string, item: SelectRelation): Draft {
  const child = emptyDraft({ schema, name: item.name });
  child.alias = item.alias;
  child.hint = item.hint;
  child.join = item.join;
  child.spread = item.isSpread ? 'to-one' : null;
  addItems(catalog, child, item.items);
  return child;
}

/** What an embed is called in the request and in the answer. */
export const shownName = ({ name, alias }: Pick<ReadPlan, 'name' | 'alias'>): string => alias ?? name;

/**
 * Applies parameters to the relations that their paths lead to, the last parameter first: the first one of the
 * request is then in front, or has the last word.
 * A relation that a parameter names moves to the front of its siblings, which is the order of the answer's members.
 */
export function applyAt<T>(
  root: Draft,
  parameters: readonly At<T>[],
  apply: (draft: Draft, value: T) => void,
): PassOutcome {
  for (let i = parameters.length - 1; i >= 0; i--) {
    const parameter = parameters[i];
    if (parameter === undefined) continue;
    const draft = descend(root, parameter.path);
    if (typeof draft === 'string') return restErrors.notEmbedded(draft);
    apply(draft, parameter.value);
  }
  return null;
}

/** Runs a pass on each relation embedded in one, until the first failure. */
export function firstFailure(draft: Draft, pass: (draft: Draft) => PassOutcome): PassOutcome {
  for (const child of draft.children) {
    const failure = pass(child);
    if (failure !== null) return failure;
  }
  return null;
}

/** The relation that a path leads to, or the first name that leads nowhere. */
function descend(root: Draft, path: readonly string[]): Draft | string {
  let draft = root;
  for (const name of path) {
    const index = draft.children.findIndex((child) => child.name === name || child.alias === name);
    const child = draft.children[index];
    if (child === undefined) return name;
    if (index > 0) draft.children.unshift(...draft.children.splice(index, 1));
    draft = child;
  }
  return draft;
}
