import { StorageError } from './errors.ts';

/*
 * The X-Robots-Tag header that an upload may carry and that downloads repeat.
 * Upstream: src/storage/validators/x-robots-tag.ts.
 */

const simpleRules: ReadonlySet<string> = new Set([
  'all',
  'noindex',
  'nofollow',
  'none',
  'nosnippet',
  'indexifembedded',
  'notranslate',
  'noimageindex',
]);

const refuse = (why: string): never => {
  throw new StorageError('InvalidRobotsTag', why);
};

const atLeastMinusOne = (rule: string) => (value: string) => {
  if (!/^-?\d+$/.test(value) || Number(value) < -1) {
    refuse(`X-Robots-Tag "${rule}" value must be an integer >= -1, got: "${value}"`);
  }
};

const valueRules: Readonly<Record<string, (value: string) => void>> = {
  'max-snippet': atLeastMinusOne('max-snippet'),
  'max-video-preview': atLeastMinusOne('max-video-preview'),
  'max-image-preview': (value) => {
    if (!['none', 'standard', 'large'].includes(value)) {
      refuse(`X-Robots-Tag "max-image-preview" value must be one of: none, standard, large, got: "${value}"`);
    }
  },
  unavailable_after: (value) => {
    if (Number.isNaN(Date.parse(value))) {
      refuse(`X-Robots-Tag "unavailable_after" value must be a valid date, got: "${value}"`);
    }
  },
};

const startsRule = new RegExp(
  `^\\s*(?:${[...simpleRules].join('|')}|${Object.keys(valueRules).join('|')}|[a-zA-Z0-9_-]+:)`,
);

/** Rules are split at commas, except within a date of `unavailable_after`. */
function splitRules(value: string): string[] {
  const rules: string[] = [];
  for (const piece of value.split(',')) {
    const last = rules.at(-1);
    const isInDate = last?.trimStart().startsWith('unavailable_after:') === true && !startsRule.test(piece);
    if (isInDate) rules[rules.length - 1] = `${last},${piece}`;
    else rules.push(piece);
  }
  return rules.map((rule) => rule.trim());
}

/** Throws `InvalidRobotsTag` for a value that is no list of rules, each perhaps behind a user agent's name. */
export function requireRobotsTag(value: string): void {
  if (value.trim() === '') refuse('X-Robots-Tag header value must be a non-empty string');
  for (const rule of splitRules(value.trim())) {
    if (rule === '') refuse('X-Robots-Tag header contains empty rule');
    if (simpleRules.has(rule)) continue;
    const colon = rule.indexOf(':');
    const before = rule.slice(0, colon).trim();
    const after = rule.slice(colon + 1).trim();
    if (colon === -1) refuse(`Invalid X-Robots-Tag rule: "${rule}"`);
    const check = valueRules[before];
    if (check !== undefined) {
      if (after === '') refuse(`X-Robots-Tag rule "${before}" requires a value`);
      check(after);
    } else if (after === '') {
      refuse(`X-Robots-Tag user agent "${before}" has no rules specified`);
    } else {
      requireRobotsTag(after);
    }
  }
}

/** The stored value if it is still a valid one, else `none`. */
export function robotsTagOf(stored: string | undefined): string {
  if (stored === undefined) return 'none';
  try {
    requireRobotsTag(stored);
    return stored;
  } catch {
    // A value that got into the row by another way must not break downloads.
    return 'none';
  }
}
