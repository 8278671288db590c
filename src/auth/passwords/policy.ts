import { AuthError } from '../errors.ts';
import { accountFailure } from '../failures/account.ts';

/** bcrypt ignores what comes after this many bytes, so more is refused. */
export const maxPasswordBytes = 72;
const minLengthFloor = 6;

/** What a password needs. */
export type PasswordPolicy = {
  readonly minBytes: number;
  /** Sets of characters, one of each of which is required. */
  readonly requiredCharacters: readonly string[];
};

/** Why a password is too weak: clients switch on the reasons and show the message. */
export type Weakness = { readonly reasons: readonly string[]; readonly message: string };

/**
 * Checks what can be told from the password alone; null when it is good enough.
 * Upstream: internal/api/password.go.
 */
export function weaknessOf(password: string, policy: PasswordPolicy, isLeaked: boolean): Weakness | null {
  const found: (readonly [reason: string, message: string])[] = [];
  const minBytes = Math.max(policy.minBytes, minLengthFloor);
  if (Buffer.byteLength(password) < minBytes) {
    found.push(['length', `Password should be at least ${minBytes} characters.`]);
  }
  const lacksOne = policy.requiredCharacters.some((set) => ![...set].some((char) => password.includes(char)));
  if (lacksOne) {
    const sets = policy.requiredCharacters.join(', ');
    found.push(['characters', `Password should contain at least one character of each: ${sets}.`]);
  }
  if (isLeaked) {
    found.push(['pwned', 'Password is known to be weak and easy to guess, please choose a different one.']);
  }
  if (found.length === 0) return null;
  return { reasons: found.map(([reason]) => reason), message: found.map(([, message]) => message).join(' ') };
}

/** The refusal of a weak password. */
export const weakPassword = (weakness: Weakness): AuthError =>
  new AuthError(422, 'weak_password', weakness.message, { reasons: weakness.reasons });

/** Throws when a password is longer than what is hashed. */
export function demandHashable(password: string): void {
  if (Buffer.byteLength(password) > maxPasswordBytes) throw accountFailure.passwordTooLong();
}
