/** One place in which two JSON documents differ; a value that is missing is undefined. */
export type Place = { readonly at: string; readonly left: unknown; readonly right: unknown };

/** The places in which two documents differ. Lists of different lengths differ as a whole. */
export function differingPlaces(left: unknown, right: unknown, at = ''): Place[] {
  if (Array.isArray(left) && Array.isArray(right) && left.length === right.length) {
    return left.flatMap((item, index) => differingPlaces(item, right[index], `${at}[${index}]`));
  }
  if (isRecord(left) && isRecord(right)) {
    const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
    return keys.flatMap((key) => differingPlaces(left[key], right[key], at === '' ? key : `${at}.${key}`));
  }
  return Object.is(left, right) ? [] : [{ at, left, right }];
}

/** A place below a name: `body[0].id`, `body.id`. */
export const placeBelow = (name: string, at: string): string =>
  at === '' || at.startsWith('[') ? `${name}${at}` : `${name}.${at}`;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
