import { z } from 'zod';
import { jsonReply } from '../../http/exchange.ts';
import { secretSigningKey } from '../../identity/sign.ts';
import { scopeOf } from '../call.ts';
import type { StorageDeps } from '../deps.ts';
import { endpoint, noInput } from '../endpoint.ts';
import { StorageError } from '../errors.ts';
import { signableTransform, type Transform, transformSchema, within } from '../images/transform.ts';
import { requireBucketId, requireNameCharacters } from '../names.ts';
import { parseMetadataHeader } from '../objects/user-metadata.ts';
import { requireLifetime, signDownload, signUpload } from '../signed/tokens.ts';
import { findNames, findObject, probeWrite } from '../store/objects.ts';
import { integer, read, texts } from '../wire/schema.ts';
import { asksUpsert } from './uploads.ts';

/** Signed URLs are signed with the shared secret, whatever signs sessions, so that they outlive a change of those keys. */
const urlKey = ({ keys }: StorageDeps) => secretSigningKey(keys.jwtSecret);

const signOneBody = z.object({ expiresIn: integer(1), transform: transformSchema.optional() });

/** The transformation that goes into the token; none where images are not transformed. */
function signedImage({ config }: StorageDeps, transform: Transform) {
  if (!config.transformsImages) return { transformations: '', format: '' };
  const limits = { min: config.minImageSize, max: config.maxImageSize };
  return { transformations: signableTransform(within(transform, limits)), format: transform.format ?? '' };
}

/** `POST /object/sign/:bucket/*` */
export const signOne = endpoint({
  input: ({ body }) => read('body', signOneBody, body),
  async handle(deps, call) {
    const { bucket, name } = call.params;
    const { expiresIn } = call.input;
    requireLifetime(expiresIn, deps.clock);
    requireBucketId(bucket);
    requireNameCharacters(name);
    const row = await findObject(deps.requestDb, scopeOf(call), call.params);
    if (row === null) throw new StorageError('NoSuchKey');
    const path = `${bucket}/${name}`;
    const image = signedImage(deps, call.input.transform ?? {});
    const token = await signDownload(urlKey(deps), deps.clock, path, expiresIn, image);
    const family = image.transformations === '' ? 'object' : 'render/image';
    return jsonReply(200, { signedURL: `/${family}/sign/${path}?token=${token}` });
  },
});

const maxPaths = 1000;
const signManyBody = z.object({ expiresIn: integer(1), paths: texts(1, maxPaths) });

/** `POST /object/sign/:bucket` */
export const signMany = endpoint({
  input: ({ body }) => read('body', signManyBody, body),
  async handle(deps, call) {
    const { bucket } = call.params;
    const { expiresIn, paths } = call.input;
    requireLifetime(expiresIn, deps.clock);
    requireBucketId(bucket);
    const visible = await findNames(deps.requestDb, scopeOf(call), bucket, paths);
    const key = urlKey(deps);
    const signed = paths.map(async (path) => {
      if (!visible.has(path)) {
        const error = 'Either the object does not exist or you do not have access to it';
        return { error, path, signedURL: null };
      }
      const token = await signDownload(key, deps.clock, `${bucket}/${path}`, expiresIn);
      return { error: null, path, signedURL: `/object/sign/${bucket}/${path}?token=${token}` };
    });
    return jsonReply(200, await Promise.all(signed));
  },
});

/** `POST /object/upload/sign/:bucket/*` */
export const signUploadUrl = endpoint({
  input: noInput,
  async handle(deps, call) {
    const { bucket, name } = call.params;
    const { headers } = call.request;
    requireBucketId(bucket);
    const isUpsert = asksUpsert(call);
    const { owner } = call.principal;
    const length = headers['content-length'];
    await probeWrite(
      deps.requestDb,
      scopeOf(call),
      {
        bucket,
        name,
        owner,
        metadata: {
          mimetype: headers['content-type'],
          contentLength: length === undefined ? undefined : Number(length),
        },
        userMetadata: parseMetadataHeader(headers['x-metadata']),
      },
      isUpsert,
    );
    const path = `${bucket}/${name}`;
    const terms = { owner, isUpsert };
    const token = await signUpload(urlKey(deps), deps.clock, path, deps.config.signedUploadSeconds, terms);
    return jsonReply(200, { url: `/object/upload/sign/${path}?token=${token}`, token });
  },
});
