import { availableParallelism } from 'node:os';
import type { AuthDeps } from '../deps.ts';
import type { ColumnEncryption } from '../encryption.ts';
import { argon2Verify, isArgon2 } from './argon2.ts';
import { createBcrypt, isBcrypt, usualCost } from './bcrypt.ts';
import { firebaseScryptVerify, isFirebaseScrypt } from './firebase-scrypt.ts';
import { createHashQueue } from './hash-queue.ts';
import { createLeakCheck } from './leaked.ts';
import { demandHashable, type Weakness, weaknessOf, weakPassword } from './policy.ts';
import { unknownPasswordHash } from './unknown-password.ts';

/** What the flows do with passwords. Hashing waits its turn and runs off the main thread. */
export interface Passwords {
  /** The form in which a user's new password is stored; the caller has checked its length. */
  hash(password: string, userId: string): Promise<string>;
  /** The same form for a user whose password nobody is told. */
  unknown(userId: string): string;
  /** Whether a password is the one of a user's stored hash. A missing hash takes as long as a wrong password. */
  verify(password: string, stored: string | null, userId: string): Promise<boolean>;
  /** Whether a hash from elsewhere can be verified here. */
  isKnownFormat(stored: string): boolean;
  /** Throws the refusal of a password that is too long or too weak. */
  demandStrong(password: string): Promise<void>;
  /** What is weak about a password, without refusing it. */
  weakness(password: string): Promise<Weakness | null>;
}

/** A form in which passwords are stored. */
type Format = {
  readonly matches: (stored: string) => boolean;
  readonly verify: (password: string, stored: string) => Promise<boolean>;
};

/** Creates the password functions of one service. */
export function createPasswords(
  deps: Pick<AuthDeps, 'config' | 'fetch' | 'observer' | 'random' | 'hashCost'>,
  encryption: ColumnEncryption,
): Passwords {
  const { config, hashCost = usualCost } = deps;
  const bcrypt = createBcrypt(hashCost);
  // For the time that comparing takes where there is nothing to compare with.
  const nobody = unknownPasswordHash(deps.random, hashCost);
  const queue = createHashQueue(availableParallelism());
  // Every form that is accepted; new hashes have the first.
  const formats: readonly Format[] = [
    { matches: isBcrypt, verify: bcrypt.verify },
    { matches: isArgon2, verify: argon2Verify },
    { matches: isFirebaseScrypt, verify: firebaseScryptVerify },
  ];
  const policy = {
    minBytes: config.passwordMinLength,
    requiredCharacters: config.passwordRequiredCharacters,
  };
  const formatOf = (stored: string): Format | undefined => formats.find(({ matches }) => matches(stored));
  const isLeaked = createLeakCheck(deps);
  const weakness = async (password: string): Promise<Weakness | null> =>
    weaknessOf(password, policy, await isLeaked(password));
  return {
    hash: async (password, userId) => encryption.seal(userId, await queue(() => bcrypt.hash(password))),
    unknown: (userId) => encryption.seal(userId, unknownPasswordHash(deps.random, hashCost)),
    async verify(password, stored, userId) {
      const hash = stored ? encryption.open(userId, stored) : '';
      const format = formatOf(hash);
      const matches = await queue(() =>
        format === undefined ? bcrypt.verify(password, nobody) : format.verify(password, hash),
      );
      return format !== undefined && matches;
    },
    isKnownFormat: (stored) => formatOf(stored) !== undefined,
    async demandStrong(password) {
      demandHashable(password);
      const found = await weakness(password);
      if (found !== null) throw weakPassword(found);
    },
    weakness,
  };
}
