/** What `Prefer` asked for; null where it was silent. */
export type Preferences = {
  readonly resolution: 'merge-duplicates' | 'ignore-duplicates' | null;
  readonly representation: 'representation' | 'minimal' | 'headers-only' | null;
  readonly count: 'exact' | 'planned' | 'estimated' | null;
  readonly transaction: 'commit' | 'rollback' | null;
  readonly missing: 'default' | 'null' | null;
  readonly handling: 'strict' | 'lenient' | null;
  readonly timezone: string | null;
  readonly maxAffected: number | null;
  /** Preferences that nobody knows, and time zones that do not exist. */
  readonly invalid: readonly string[];
};

/** The preferences of a request without the header. */
const noPreferences: Preferences = {
  resolution: null,
  representation: null,
  count: null,
  transaction: null,
  missing: null,
  handling: null,
  timezone: null,
  maxAffected: null,
  invalid: [],
};

/** Names and values, in the order in which `Preference-Applied` lists them. */
const known = {
  resolution: ['resolution', ['merge-duplicates', 'ignore-duplicates']],
  missing: ['missing', ['default', 'null']],
  representation: ['return', ['representation', 'minimal', 'headers-only']],
  count: ['count', ['exact', 'planned', 'estimated']],
  transaction: ['tx', ['commit', 'rollback']],
  handling: ['handling', ['strict', 'lenient']],
} as const;

type Choice = keyof typeof known;

const choices = new Map<string, readonly [Choice, string]>(
  (Object.keys(known) as Choice[]).flatMap((choice) => {
    const [name, values] = known[choice];
    return values.map((value) => [`${name}=${value}`, [choice, value]] as const);
  }),
);

const timezonePrefix = 'timezone=';
const maxAffectedPrefix = 'max-affected=';

/**
 * Reads a `Prefer` header. Of a preference that is given twice the first counts.
 * `acceptsTransaction` says whether the configuration lets clients choose how transactions end.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/ApiRequest/Preferences.hs.
 */
export function parsePreferences(
  header: string | undefined,
  acceptsTransaction: boolean,
  timezones: ReadonlySet<string>,
): Preferences {
  if (header === undefined) return noPreferences;
  const items = header.split(',').map((item) => item.trim());
  const chosen: { [K in Choice]?: string } = {};
  for (const item of items) {
    const choice = choices.get(item);
    if (choice !== undefined) chosen[choice[0]] ??= choice[1];
  }
  if (!acceptsTransaction) delete chosen.transaction;
  const timezone = withoutPrefix(items, timezonePrefix);
  const isKnownZone = timezone !== null && timezones.has(timezone);
  const invalid = items.filter(
    (item) =>
      !choices.has(item) &&
      !(item.startsWith(timezonePrefix) && isKnownZone) &&
      !item.startsWith(maxAffectedPrefix),
  );
  return {
    ...noPreferences,
    // The values come from the table of known ones.
    ...(chosen as Partial<Preferences>),
    timezone: isKnownZone ? timezone : null,
    maxAffected: integerOf(withoutPrefix(items, maxAffectedPrefix)),
    invalid,
  };
}

function withoutPrefix(items: readonly string[], prefix: string): string | null {
  const item = items.find((candidate) => candidate.startsWith(prefix));
  return item === undefined ? null : item.slice(prefix.length);
}

const integerOf = (text: string | null): number | null =>
  text !== null && /^\s*-?\d{1,18}\s*$/.test(text) ? Number(text) : null;

/** The `Preference-Applied` header; null when nothing was applied. */
export function appliedPreferences(preferences: Preferences): string | null {
  const items: string[] = [];
  for (const choice of Object.keys(known) as Choice[]) {
    const value = preferences[choice];
    if (value !== null) items.push(`${known[choice][0]}=${value}`);
  }
  if (preferences.timezone !== null) items.push(timezonePrefix + preferences.timezone);
  if (preferences.handling === 'strict' && preferences.maxAffected !== null)
    items.push(maxAffectedPrefix + preferences.maxAffected);
  return items.length === 0 ? null : items.join(', ');
}
