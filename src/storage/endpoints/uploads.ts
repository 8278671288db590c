import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import { type Call, scopeOf, serviceScopeOf } from '../call.ts';
import type { StorageDeps } from '../deps.ts';
import { endpoint, noInput } from '../endpoint.ts';
import { requireBucketId } from '../names.ts';
import { discardBody } from '../objects/discard-body.ts';
import { openIncoming } from '../objects/incoming.ts';
import { type Upload, uploadFile } from '../objects/upload.ts';
import { verifySigned } from '../signed/tokens.ts';
import type { ObjectRow } from '../store/rows.ts';
import { read, text } from '../wire/schema.ts';

/** Whether the request asks to replace an existing object; only the very word counts. */
export const asksUpsert = (call: Call): boolean => call.request.headers['x-upsert'] === 'true';

async function receive(
  deps: StorageDeps,
  call: Call,
  terms: Pick<Upload, 'owner' | 'isUpsert' | 'asRequest'>,
): Promise<ObjectRow> {
  const { bucket, name } = call.params;
  requireBucketId(bucket);
  try {
    const file = await openIncoming(call.request);
    return await uploadFile(deps, { key: { bucket, name }, ...terms, asService: serviceScopeOf(call) }, file);
  } catch (thrown) {
    await discardBody(call.request.body);
    throw thrown;
  }
}

const upload = (deps: StorageDeps, call: Call, isUpsert: boolean): Promise<ObjectRow> =>
  receive(deps, call, { owner: call.principal.owner, isUpsert, asRequest: scopeOf(call) });

const uploaded = (call: Call, row: ObjectRow): HttpReply =>
  jsonReply(200, { Id: row.id, Key: `${call.params.bucket}/${call.params.name}` });

/** `POST /object/:bucket/*` */
export const createObject = endpoint({
  input: noInput,
  handle: async (deps, call) => uploaded(call, await upload(deps, call, asksUpsert(call))),
});

/** `PUT /object/:bucket/*` */
export const replaceObject = endpoint({
  input: noInput,
  handle: async (deps, call) => uploaded(call, await upload(deps, call, true)),
});

const tokenQuery = z.object({ token: text });

/** `PUT /object/upload/sign/:bucket/*` */
export const uploadSigned = endpoint({
  input: ({ query }) => read('querystring', tokenQuery, query),
  async handle(deps, call) {
    const { bucket, name } = call.params;
    requireBucketId(bucket);
    const token = await verifySigned(deps.verifier, call.input.token, 'upload', `${bucket}/${name}`);
    await receive(deps, call, { owner: token.owner, isUpsert: token.isUpsert, asRequest: null });
    return jsonReply(200, { Key: `${bucket}/${name}` });
  },
});
