import type { Service } from '../cases/model.ts';
import { exchange } from './http.ts';
import type { Target } from './target.ts';

/** A target that gives no answer at all, so that no case could say anything about it. */
class TargetFailure extends Error {
  override readonly name = 'TargetFailure';
}

/**
 * Asks once at each address that cases of the services will ask; any answer will do.
 * @throws TargetFailure
 */
export async function demandAnswers(
  { url, bases = {} }: Target,
  services: ReadonlySet<Service>,
  signal: AbortSignal,
): Promise<void> {
  for (const address of new Set([...services].map((service) => bases[service] ?? url))) {
    const request = { method: 'GET', url: `${address}/`, headers: {}, body: null };
    await exchange(request, signal).catch((cause: Error) => {
      if (signal.aborted) return;
      throw new TargetFailure(`${address} does not answer: ${reasonOf(cause)}.`, { cause });
    });
  }
}

/** What `fetch failed` hides. */
function reasonOf(error: Error): string {
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return cause.message || ('code' in cause ? String(cause.code) : error.message);
}
