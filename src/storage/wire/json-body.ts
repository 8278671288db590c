import { BodyAborted, BodyTooLarge, readBody } from '../../http/body.ts';
import type { HttpRequest } from '../../http/exchange.ts';
import { StorageError } from '../errors.ts';

/** Largest JSON body; lists of a thousand names fit many times. */
const maxJsonBytes = 1024 * 1024;

/**
 * Reads a JSON body, as unknown. A request without a body yields undefined; with `mayBeEmpty` an empty one under a
 * JSON type does too. Text bodies yield their text, bodies of other types undefined, as upstream's parser has it.
 */
export async function readJsonBody(request: HttpRequest, options: { mayBeEmpty: boolean }): Promise<unknown> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const bytes = await readAll(request);
  if (type === 'text/plain') return bytes.toString('utf8');
  if (type !== 'application/json') return undefined;
  if (bytes.length === 0) {
    if (options.mayBeEmpty) return undefined;
    throw new StorageError(
      'InvalidBody',
      "Body cannot be empty when content-type is set to 'application/json'",
    );
  }
  return parse(bytes);
}

async function readAll(request: HttpRequest): Promise<Buffer> {
  try {
    return await readBody(request, maxJsonBytes);
  } catch (thrown) {
    if (thrown instanceof BodyTooLarge)
      throw new StorageError('BodyTooLarge', '', { closesConnection: true });
    if (thrown instanceof BodyAborted) throw new StorageError('Aborted');
    throw thrown;
  }
}

function parse(bytes: Buffer): unknown {
  try {
    // A member named __proto__ must stay a member.
    const text = bytes.toString('utf8');
    // A byte order mark says nothing about UTF-8, and some clients send one.
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text, (key, value) => {
      if (key === '__proto__') throw new SyntaxError('forbidden member');
      return value;
    });
  } catch {
    // Where the text went wrong is of no use to a client.
    throw new StorageError(
      'InvalidBody',
      "Body is not valid JSON but content-type is set to 'application/json'",
    );
  }
}
