import { z } from 'zod';
import { jsonReply } from '../../http/exchange.ts';
import { endpoint } from '../endpoint.ts';
import { requireBucketId } from '../names.ts';
import { copyObject } from '../objects/copy.ts';
import { moveTo } from '../objects/move.ts';
import { parseMetadataHeader } from '../objects/user-metadata.ts';
import { flag, read, text } from '../wire/schema.ts';
import { objectReply } from './object-reply.ts';
import { asksUpsert } from './uploads.ts';

const moveBody = z.object({
  bucketId: text,
  sourceKey: text,
  destinationKey: text,
  destinationBucket: text.optional(),
});

/** `POST /object/move` */
export const moveOne = endpoint({
  input: ({ body }) => read('body', moveBody, body),
  async handle(deps, call) {
    const { bucketId, sourceKey, destinationKey, destinationBucket } = call.input;
    requireBucketId(bucketId);
    const to = { bucket: destinationBucket || bucketId, name: destinationKey };
    await moveTo(deps, call, { bucket: bucketId, name: sourceKey }, to);
    return jsonReply(200, { message: 'Successfully moved' });
  },
});

const copyBody = z.object({
  sourceKey: text,
  bucketId: text,
  destinationKey: text,
  destinationBucket: text.optional(),
  copyMetadata: flag.optional(),
  metadata: z.object({ cacheControl: text.optional(), mimetype: text.optional() }).optional(),
});

/** `POST /object/copy` */
export const copyOne = endpoint({
  input: ({ body }) => read('body', copyBody, body),
  async handle(deps, call) {
    const { input, request } = call;
    requireBucketId(input.bucketId);
    const to = { bucket: input.destinationBucket || input.bucketId, name: input.destinationKey };
    const replacement =
      (input.copyMetadata ?? true)
        ? null
        : {
            metadata: input.metadata ?? {},
            userMetadata: parseMetadataHeader(request.headers['x-metadata']),
          };
    const row = await copyObject(deps, call, {
      from: { bucket: input.bucketId, name: input.sourceKey },
      to,
      isUpsert: asksUpsert(call),
      replacement,
    });
    return jsonReply(200, { Id: row.id, Key: `${to.bucket}/${to.name}`, ...objectReply(row) });
  },
});
