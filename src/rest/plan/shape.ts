import type { Result } from '../../core/result.ts';
import type { RestConfig } from '../config/model.ts';
import type { RestError } from '../errors.ts';
import type { SelectItem } from '../parse/model.ts';
import type { ReadPlan } from './model.ts';

/*
 * An app asks for few shapes of rows, again and again, each time for other rows: what a select list makes of a relation
 * does not depend on filters, order and limit of the rows. So it is planned once for as long as the catalog and the
 * configuration stay, and what comes of it may be rendered once.
 */

/** What a shape depends on. Each is compared by its identity; parsing gives the same list for the same text. */
export type ShapeOf = {
  /** The table or function, an object of the catalog that the shape was made with. */
  readonly owner: object;
  readonly select: readonly SelectItem[];
  readonly action: string;
  readonly config: RestConfig;
};

type Shape = { readonly action: string; readonly config: RestConfig; readonly plan: ReadPlan | null };

const shapes = new WeakMap<object, WeakMap<readonly SelectItem[], Shape[]>>();

/** The plan of a read without parameters, made when it is new; null when it cannot be made. */
export function knownShape(
  { owner, select, action, config }: ShapeOf,
  make: () => Result<ReadPlan, RestError>,
): ReadPlan | null {
  const ofOwner = shapes.get(owner) ?? new WeakMap<readonly SelectItem[], Shape[]>();
  const ofSelect = ofOwner.get(select) ?? [];
  for (const shape of ofSelect) if (shape.action === action && shape.config === config) return shape.plan;
  const made = make();
  const plan = made.ok ? { ...made.value, isShape: true } : null;
  const current = ofSelect.filter((shape) => shape.config === config);
  shapes.set(owner, ofOwner.set(select, [...current, { action, config, plan }]));
  return plan;
}
