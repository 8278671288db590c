import type { AuthContext } from '../context.ts';
import { replaceToken, type TokenType } from '../store/one-time-tokens.ts';
import type { Flow } from './flow.ts';

/** Where a code was sent, and its hash. */
export type SentCode = { readonly address: string; readonly hash: string };

/** Keeps the hash of a code in the place of the one before, whose wrong guesses count no more. */
export async function keepToken(
  context: AuthContext,
  { tx }: Flow,
  userId: string,
  type: TokenType,
  { address, hash }: SentCode,
  now: string,
): Promise<void> {
  context.guesses.forget(address);
  await replaceToken(tx, context.random.uuid(), userId, type, hash, address, now);
}
