/** One fact about the catalog: two values that must print alike. */
export type Expectation = { readonly what: string; readonly expected: unknown; readonly actual: unknown };

/** The keys of an object in order; absent objects have none. */
export const names = (of: object | undefined): string[] => Object.keys(of ?? {}).sort();

/** A definition without what two servers may print differently: line breaks and a double space. */
export const normal = (definition: string | null | undefined): string | null =>
  definition?.replace(/\s+/g, ' ').trim() ?? null;
