import { isDeepStrictEqual } from 'node:util';

/** Paths at which two values differ, with both sides. */
export function differences(a: unknown, b: unknown, path = ''): readonly string[] {
  if (isDeepStrictEqual(a, b)) return [];
  const isBranch = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null;
  if (!isBranch(a) || !isBranch(b)) return [`${path}: ${JSON.stringify(a)} | ${JSON.stringify(b)}`];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) => differences(a[key], b[key], `${path}.${key}`));
}
