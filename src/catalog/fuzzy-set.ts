/** A name that is close to what was asked for; score 1 is the same name but for its case. */
type FuzzyMatch = { readonly score: number; readonly name: string };

/** Names that can be searched by likeness. */
export interface FuzzySet {
  /** Close names, best first; empty when none reaches the score. */
  matches(value: string, minScore: number): readonly FuzzyMatch[];
  /** The best of `matches`, or null. */
  closest(value: string, minScore: number): string | null;
}

/** The score under which upstream's search calls two names unlike. */
export const defaultMinScore = 0.33;

const gramSizes = [3, 2] as const;
const maxCandidates = 50;

type Item = { readonly key: string; readonly magnitude: number };
type Occurrence = { readonly item: Item; readonly count: number };
type GramIndex = ReadonlyMap<string, readonly Occurrence[]>;

/**
 * Indexes names by their pieces of three and of two characters. A search ranks by shared pieces, then by edit
 * distance; which names come out, and in which order, is what clients read in hints.
 * Upstream: laserpants/fuzzyset-haskell (0.2.4), src/Data/FuzzySet.hs.
 */
export function createFuzzySet(names: readonly string[]): FuzzySet {
  const exact = new Map<string, string>();
  for (const name of names) exact.set(name.toLowerCase(), name);
  const keys = [...exact.keys()];
  const indexes = new Map<number, GramIndex>();
  const indexOf = (size: number): GramIndex => {
    const known = indexes.get(size);
    if (known !== undefined) return known;
    const made = indexGrams(keys, size);
    indexes.set(size, made);
    return made;
  };
  const matches = (value: string, minScore: number): readonly FuzzyMatch[] => {
    const key = value.toLowerCase();
    const same = exact.get(key);
    if (same !== undefined) return [{ score: 1, name: same }];
    for (const size of gramSizes) {
      const found = candidates(indexOf(size), key, size)
        .map((candidate) => ({ score: likeness(key, candidate), name: exact.get(candidate) ?? candidate }))
        .sort((a, b) => b.score - a.score)
        .filter(({ score }) => score >= minScore);
      if (found.length > 0) return found;
    }
    return [];
  };
  return { matches, closest: (value, minScore) => matches(value, minScore)[0]?.name ?? null };
}

function indexGrams(keys: readonly string[], size: number): GramIndex {
  const index = new Map<string, Occurrence[]>();
  for (const key of keys) {
    const vector = gramVector(key, size);
    const item = { key, magnitude: magnitudeOf(vector) };
    for (const [gram, count] of vector) {
      const list = index.get(gram);
      if (list === undefined) index.set(gram, [{ item, count }]);
      else list.push({ item, count });
    }
  }
  return index;
}

/** Keys that share pieces with the query, most alike first (cosine of the piece counts). */
function candidates(index: GramIndex, query: string, size: number): string[] {
  const vector = gramVector(query, size);
  const magnitude = magnitudeOf(vector);
  const scores = new Map<Item, number>();
  for (const [gram, count] of vector) {
    for (const { item, count: other } of index.get(gram) ?? []) {
      scores.set(item, (scores.get(item) ?? 0) + count * other);
    }
  }
  return [...scores]
    .map(([item, score]) => ({ key: item.key, score: score / (magnitude * item.magnitude) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, maxCandidates)
    .map(({ key }) => key);
}

/** Counts of the pieces of one size in a key between dashes; only letters, digits, spaces and commas count. */
function gramVector(key: string, size: number): Map<string, number> {
  const letters = ['-', ...key.replace(/[^\p{L}\p{M}\p{N}\s,]/gu, ''), '-'];
  const vector = new Map<string, number>();
  for (let i = 0; i + size <= letters.length; i++) {
    const gram = letters.slice(i, i + size).join('');
    vector.set(gram, (vector.get(gram) ?? 0) + 1);
  }
  return vector;
}

function magnitudeOf(vector: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of vector.values()) sum += count * count;
  return Math.sqrt(sum);
}

/** 1 minus the edit distance relative to the longer text. */
function likeness(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  const longest = Math.max(left.length, right.length);
  return longest === 0 ? 1 : 1 - editDistance(left, right) / longest;
}

function editDistance(left: readonly string[], right: readonly string[]): number {
  let previous = Array.from({ length: right.length + 1 }, (_, i) => i);
  for (let i = 1; i <= left.length; i++) {
    const current = [i];
    for (let j = 1; j <= right.length; j++) {
      const replace = (previous[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      current.push(Math.min(replace, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
