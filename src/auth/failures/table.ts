import { AuthError, type AuthErrorExtras } from '../errors.ts';
import type { AuthCode } from './codes.ts';

/** Text of a refusal, or how it is made from what the case is about. */
type Text = string | ((...about: never[]) => string);

/** One refusal: HTTP status, code, text, and whether the code stays out of the header. */
export type Failure = readonly [status: number, code: AuthCode, text: Text, isUncoded?: 'uncoded'];

type About<T extends Text> = T extends (...about: infer A) => string ? A : [];

/** The refusals of one area by name, each of which makes its error. */
export type Failures<T extends Readonly<Record<string, Failure>>> = {
  readonly [N in keyof T]: (...about: About<T[N][2]>) => AuthError;
};

/** Turns a table of refusals into one function each, so that a throw names the case and nothing else. */
export function failures<const T extends Readonly<Record<string, Failure>>>(table: T): Failures<T> {
  const made = Object.entries(table).map(([name, [status, code, text, uncoded]]) => [
    name,
    (...about: never[]) =>
      new AuthError(status, code, typeof text === 'string' ? text : text(...about), {
        isUncoded: uncoded !== undefined,
      }),
  ]);
  // Every entry of the table became the function of its name.
  return Object.fromEntries(made) as Failures<T>;
}

/** A fault of ours or of the database behind a text that clients know; the cause goes to the log. */
export const fault = (message: string, extras: AuthErrorExtras = {}): AuthError =>
  new AuthError(500, 'unexpected_failure', message, extras);

/** Does work that may fail in ways that are for the log alone; clients get the given refusal. */
export async function worded<T>(failure: AuthError, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    failure.cause = cause;
    throw failure;
  }
}
