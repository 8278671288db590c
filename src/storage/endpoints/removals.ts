import { z } from 'zod';
import { jsonReply } from '../../http/exchange.ts';
import { scopeOf } from '../call.ts';
import { endpoint, noInput } from '../endpoint.ts';
import { StorageError } from '../errors.ts';
import { requireBucketId } from '../names.ts';
import { aftermathOf } from '../objects/aftermath.ts';
import { deleteObjects, locate } from '../store/objects.ts';
import type { ObjectRow } from '../store/rows.ts';
import { read, texts } from '../wire/schema.ts';
import { objectReply } from './object-reply.ts';

/** `DELETE /object/:bucket/*` */
export const removeObject = endpoint({
  input: noInput,
  async handle(deps, call) {
    const { bucket, name } = call.params;
    requireBucketId(bucket);
    const [gone] = await deleteObjects(
      deps.requestDb,
      scopeOf(call),
      bucket,
      [name],
      aftermathOf(deps.config),
    );
    if (gone === undefined) {
      const located = await locate(deps.serviceDb, { bucket, name });
      throw new StorageError(located?.object == null ? 'NoSuchKey' : 'AccessDenied');
    }
    return jsonReply(200, { message: 'Successfully deleted' });
  },
});

const manyBody = z.object({ prefixes: texts(1) });
const batchSize = 500;

/** `DELETE /object/:bucket` */
export const removeObjects = endpoint({
  input: ({ body }) => read('body', manyBody, body),
  async handle(deps, call) {
    const { bucket } = call.params;
    requireBucketId(bucket);
    const { prefixes } = call.input;
    const aftermath = aftermathOf(deps.config);
    const removed: ObjectRow[] = [];
    for (let at = 0; at < prefixes.length; at += batchSize) {
      const names = prefixes.slice(at, at + batchSize);
      removed.push(...(await deleteObjects(deps.requestDb, scopeOf(call), bucket, names, aftermath)));
    }
    return jsonReply(200, removed.map(objectReply));
  },
});
