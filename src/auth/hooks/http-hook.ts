import { setTimeout as wait } from 'node:timers/promises';
import type { AuthDeps } from '../deps.ts';
import { hookFailure } from '../failures/hook.ts';
import { signWebhook } from './signature.ts';

const totalMs = 5_000;
const backoffMs = 2_000;
const attempts = 3;
const maxReplyBytes = 200 * 1024;

/**
 * Posts an event to a hook's URL, signed, and yields its JSON text; null for an answer without content.
 * Upstream: internal/hooks/hookshttp/hookshttp.go.
 */
export async function callHttpHook(
  deps: Pick<AuthDeps, 'fetch' | 'clock' | 'random'>,
  uri: string,
  keys: readonly Buffer[],
  body: string,
): Promise<string | null> {
  const signal = AbortSignal.timeout(totalMs);
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const reply = await post(deps, uri, keys, body, signal);
    if (reply !== null && !isRetry(reply)) return readReply(reply);
    await reply?.body?.cancel();
    if (reply === null) {
      if (attempt === attempts) throw hookFailure.retriesExhausted();
      await pause(signal);
    }
  }
  throw hookFailure.unavailable();
}

const isRetry = (reply: Response): boolean =>
  (reply.status === 429 || reply.status === 503) && reply.headers.has('retry-after');

async function pause(signal: AbortSignal): Promise<void> {
  try {
    await wait(backoffMs, undefined, { signal });
  } catch {
    // Only the signal ends the wait early.
    throw hookFailure.timeout(totalMs / 1000);
  }
}

/** One attempt; null when the hook could not be reached. */
async function post(
  deps: Pick<AuthDeps, 'fetch' | 'clock' | 'random'>,
  uri: string,
  keys: readonly Buffer[],
  body: string,
  signal: AbortSignal,
): Promise<Response | null> {
  const id = deps.random.uuid();
  const timestamp = Math.floor(deps.clock.now() / 1000);
  try {
    return await deps.fetch(uri, {
      method: 'POST',
      body,
      signal,
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        'accept-encoding': 'identity',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signWebhook(keys, id, timestamp, body),
      },
    });
  } catch {
    // fetch rejects for any network trouble alike; time being up is told from the signal.
    if (signal.aborted) throw hookFailure.timeout(totalMs / 1000);
    return null;
  }
}

async function readReply(reply: Response): Promise<string | null> {
  switch (reply.status) {
    case 204:
      return null;
    case 200:
    case 202:
      return readContent(reply);
    case 400:
      throw hookFailure.badPayload();
    case 401:
      throw hookFailure.unauthorized();
    case 429:
    case 503:
      throw hookFailure.unavailable();
    default:
      throw hookFailure.status(reply.status);
  }
}

async function readContent(reply: Response): Promise<string> {
  const type = reply.headers.get('content-type');
  if (type === null) throw hookFailure.noContentType();
  if (type.split(';')[0]?.trim().toLowerCase() !== 'application/json') throw hookFailure.contentType(type);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of reply.body ?? []) {
    size += chunk.length;
    if (size > maxReplyBytes) throw hookFailure.tooLarge(maxReplyBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
