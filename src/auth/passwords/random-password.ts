import type { Random } from '../../core/clock.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

const pick = (random: Random, from: string): string => {
  const bound = 256 - (256 % from.length);
  for (;;) {
    const [byte = 255] = random.bytes(1);
    // Bytes beyond the last whole multiple would favour the first characters.
    if (byte < bound) return from[byte % from.length] ?? '';
  }
};

/** A password that nobody is told, of a character of each required set and letters and digits for the rest. */
export function randomPassword(
  random: Random,
  length: number,
  requiredCharacters: readonly string[] = [],
): string {
  const required = requiredCharacters.map((set) => pick(random, set));
  const rest = Array.from({ length: Math.max(length - required.length, 0) }, () => pick(random, alphabet));
  return [...required, ...rest].join('');
}
