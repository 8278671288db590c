/** How ownbase stands to something that an app uses. */
export type Support = 'supported' | 'differs' | 'unsupported';

/** One thing that apps use of Supabase. */
export type Feature = {
  readonly id: string;
  readonly title: string;
  readonly support: Support;
  /** What is different, or what to do instead; undefined when there is nothing to say. */
  readonly note?: string | undefined;
  /** Beginnings of the ids of the compatibility cases that prove it. */
  readonly cases: readonly string[];
  /** Calls that mean it, as `kind.method`: see `code/kind.ts`. */
  readonly calls: readonly string[];
};

/** One use of a feature, at a place of the app. */
export type Finding = {
  readonly feature: string;
  readonly file: string;
  readonly line: number;
  /** What stands there: a method, an extension, a key of the configuration. */
  readonly what: string;
};

/** A finding whose file is known to the caller. */
export type LocalFinding = Omit<Finding, 'file'>;

type Rest = Partial<Pick<Feature, 'calls' | 'note'>>;

/** A feature that works as upstream. */
export const supported = (
  id: string,
  title: string,
  cases: readonly string[] = [],
  { calls = [], note }: Rest = {},
): Feature => ({ id, title, support: 'supported', note, cases, calls });

/** A feature that works with a difference that one should know. */
export const differs = (
  id: string,
  title: string,
  note: string,
  cases: readonly string[] = [],
  calls: readonly string[] = [],
): Feature => ({ id, title, support: 'differs', note, cases, calls });

/** A feature that is not there. */
export const unsupported = (
  id: string,
  title: string,
  note: string,
  calls: readonly string[] = [],
): Feature => ({ id, title, support: 'unsupported', note, cases: [], calls });
