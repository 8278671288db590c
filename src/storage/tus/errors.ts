import { ERRORS } from '@tus/server';
import type { StorageError } from '../errors.ts';
import { toStorageError } from '../failures.ts';

/** A refusal in the protocol's own words, under the names that `@tus/server` reads. */
class TusError extends Error {
  override readonly name = 'TusError';
  readonly status_code: number;
  readonly body: string;

  constructor({ status_code, body }: TusWords) {
    super(body);
    this.status_code = status_code;
    this.body = body;
  }
}

/** What the protocol answers to a failure. */
export type TusWords = { readonly status_code: number; readonly body: string };

/** The refusals that are ours to make; `@tus/server` makes the others. */
export const refuse = {
  invalidId: (body: string) => new TusError({ status_code: 400, body }),
  noMetadata: () => new TusError({ status_code: 400, body: 'Metadata header is required' }),
  notFound: () => new TusError(ERRORS.FILE_NOT_FOUND),
  gone: () => new TusError(ERRORS.FILE_NO_LONGER_EXISTS),
  offsetConflict: () => new TusError(ERRORS.INVALID_OFFSET),
} as const;

/** The words for a failure of the service; null when what was thrown has its own. */
export function wordsOf(thrown: unknown): { readonly error: StorageError; readonly words: TusWords } | null {
  if (typeof thrown === 'object' && thrown !== null && 'status_code' in thrown) return null;
  const error = toStorageError(thrown);
  return { error, words: { status_code: error.row.status, body: error.message } };
}
