import { z } from 'zod';
import { scopeOf } from '../call.ts';
import { StorageError } from '../errors.ts';
import { findMultipart, listMultiparts, listParts } from '../store/multipart.ts';
import { integer, read, text } from '../wire/schema.ts';
import { requireBucket } from './objects.ts';
import { type Operation, parameter, xmlReply } from './operation.ts';

const most = 1000;

const partsQuery = z.object({
  'max-parts': integer(0, most).optional(),
  'part-number-marker': text.optional(),
});
const uploadsQuery = z.object({ 'max-uploads': integer(1).optional() });

/** ListParts: of an upload that exists, those that the request sees. */
export const parts: Operation = async (s3) => {
  const { deps, call } = s3;
  const id = parameter(s3, 'uploadId') ?? '';
  if ((await findMultipart(deps.serviceDb, call.params, id)) === null) throw new StorageError('NoSuchUpload');
  const asked = read('Querystring', partsQuery, s3.query);
  const limit = asked['max-parts'] || most;
  const after = Number(asked['part-number-marker']) || 0;
  const rows = await listParts(deps.requestDb, scopeOf(call), { id, after, limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const isTruncated = rows.length > limit;
  return xmlReply('ListPartsResult', {
    Bucket: call.params.bucket,
    Key: call.params.name,
    UploadId: id,
    PartNumberMarker: after === 0 ? undefined : after,
    NextPartNumberMarker: isTruncated ? shown.at(-1)?.number : undefined,
    MaxParts: limit,
    IsTruncated: isTruncated,
    Part: shown.map((part) => ({
      PartNumber: part.number,
      LastModified: part.createdAt,
      ETag: part.etag,
      Size: part.size,
    })),
  });
};

const encodeMarker = (last: string): string => Buffer.from(`l:${last}`).toString('base64');
const decodeMarker = (marker: string | undefined): string =>
  marker === undefined || marker === ''
    ? ''
    : Buffer.from(marker, 'base64').toString('utf8').replace(/^l:/, '');

/** ListMultipartUploads: those that the request sees. */
export const uploads: Operation = async (s3) => {
  const { deps, call } = s3;
  await requireBucket(s3);
  const limit = Math.min(read('Querystring', uploadsQuery, s3.query)['max-uploads'] ?? most, most);
  const delimiter = parameter(s3, 'delimiter') ?? '';
  const prefix = parameter(s3, 'prefix') ?? '';
  const [keyMarker, idMarker] = [parameter(s3, 'key-marker'), parameter(s3, 'upload-id-marker')];
  const rows = await listMultiparts(deps.requestDb, scopeOf(call), {
    ...{ bucket: call.params.bucket, prefix, delimiter, limit: limit + 1 },
    afterKey: decodeMarker(keyMarker),
    afterId: delimiter === '' ? decodeMarker(idMarker) : '',
  });
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  const encode = parameter(s3, 'encoding-type') === 'url' ? encodeURIComponent : (key: string) => key;
  const isFolder = (key: string): boolean => delimiter !== '' && key.endsWith(delimiter);
  return xmlReply('ListMultipartUploadsResult', {
    Name: call.params.bucket,
    Bucket: call.params.bucket,
    Prefix: prefix,
    KeyMarker: keyMarker,
    UploadIdMarker: idMarker,
    NextKeyMarker: last === undefined ? undefined : encodeMarker(last.key),
    NextUploadIdMarker: last === undefined ? undefined : encodeMarker(last.id),
    MaxUploads: limit,
    KeyCount: shown.length,
    IsTruncated: last !== undefined,
    Delimiter: delimiter || undefined,
    EncodingType: parameter(s3, 'encoding-type'),
    Upload: shown
      .filter(({ key }) => !isFolder(key))
      .map((row) => ({
        Key: encode(row.key),
        Initiated: row.createdAt,
        UploadId: row.id,
        StorageClass: 'STANDARD',
      })),
    CommonPrefixes: shown.filter(({ key }) => isFolder(key)).map(({ key }) => ({ Prefix: encode(key) })),
  });
};
