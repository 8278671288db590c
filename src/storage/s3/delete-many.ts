import { z } from 'zod';
import { scopeOf } from '../call.ts';
import { aftermathOf } from '../objects/aftermath.ts';
import { deleteObjects, existingNames } from '../store/objects.ts';
import { read } from '../wire/schema.ts';
import { readDocument } from './body.ts';
import { requireBucket } from './objects.ts';
import { type Operation, xmlReply } from './operation.ts';
import { readXml } from './xml.ts';

const document = z.object({
  Delete: z.object({
    Object: z.array(z.object({ Key: z.string() })),
    Quiet: z.string().optional(),
  }),
});

/** DeleteObjects: what policies keep is reported as denied; what is missing counts as deleted. */
export const removeMany: Operation = async (s3) => {
  const { deps, call, body } = s3;
  const text = await readDocument(body);
  const order = read('Body', document, text === '' ? undefined : readXml(text));
  await requireBucket(s3);
  const { bucket } = call.params;
  const { Object: objects, Quiet: quiet } = order.Delete;
  const keys = objects.map((object) => object.Key);
  await deleteObjects(deps.requestDb, scopeOf(call), bucket, keys, aftermathOf(deps.config));
  const remaining = await existingNames(deps.serviceDb, bucket, keys);
  const deleted = quiet === 'true' ? [] : keys.filter((key) => !remaining.has(key));
  return xmlReply('DeleteResult', {
    Deleted: deleted.map((Key) => ({ Key })),
    Error: keys
      .filter((key) => remaining.has(key))
      .map((Key) => ({ Key, Code: 'AccessDenied', Message: 'Access Denied' })),
  });
};
