import { isToOne } from '../../catalog/model.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type RestError, restErrors } from '../errors.ts';
import type { LogicPlan, OrderPlan, ReadPlan } from './model.ts';
import { type Draft, firstFailure, type PassOutcome, shownName } from './tree.ts';

/** What names are looked for in: a relation and what is embedded in it. */
type Parent = Pick<ReadPlan, 'from' | 'children'>;

/** Lets orders by a column of an embed point at the embed's join; only to-one embeds can be ordered by. */
export function relateOrder(
  parent: Parent,
  terms: readonly OrderPlan[],
): Result<readonly OrderPlan[], RestError> {
  if (terms.every(({ qualifier }) => qualifier === null)) return ok(terms);
  const order: OrderPlan[] = [];
  for (const term of terms) {
    const related = term.qualifier === null ? ok(term) : relateTerm(parent, term, term.qualifier);
    if (!related.ok) return related;
    order.push(related.value);
  }
  return ok(order);
}

function relateTerm(parent: Parent, term: OrderPlan, name: string): Result<OrderPlan, RestError> {
  const child = parent.children.find((candidate) => shownName(candidate) === name);
  if (child === undefined) return err(restErrors.notEmbedded(name));
  if (child.relationship === null || !isToOne(child.relationship))
    return err(restErrors.orderByToMany(parent.from.name, shownName(child)));
  return ok({ ...term, qualifier: child.embedAlias });
}

/** Lets the orders of a relation and of everything below it point at joins. */
export function relateAllOrders(draft: Draft): PassOutcome {
  const order = relateOrder(draft, draft.order);
  if (!order.ok) return order.error;
  draft.order = order.value;
  return firstFailure(draft, relateAllOrders);
}

/** Turns `is.null` on the name of an embed into a test of whether the embed found anything. */
export const relateNullFilters = (parent: Parent, where: readonly LogicPlan[]): readonly LogicPlan[] =>
  parent.children.length === 0 ? where : where.map((tree) => relateNullFilter(parent, tree));

function relateNullFilter(parent: Parent, tree: LogicPlan): LogicPlan {
  if (tree.kind === 'group')
    return { ...tree, trees: tree.trees.map((inner) => relateNullFilter(parent, inner)) };
  if (tree.kind === 'embed' || tree.field.path.length > 0) return tree;
  const { operation } = tree;
  if (operation.kind !== 'is' || operation.operand !== 'null') return tree;
  const child = parent.children.find((candidate) => shownName(candidate) === tree.field.name);
  return child === undefined
    ? tree
    : { kind: 'embed', isNull: !tree.negated, alias: child.embedAlias, child };
}

/** Turns the tests of embeds of a relation and of everything below it. */
export function relateAllNullFilters(draft: Draft): void {
  draft.where = relateNullFilters(draft, draft.where);
  for (const child of draft.children) relateAllNullFilters(child);
}
