import { type GrowingStore, isSafeId } from './object-store.ts';
import { concatenate, type S3Bucket } from './s3-bucket.ts';
import { listUploads } from './s3-parts.ts';

/** Digits of an offset in a key, so that the order of keys is the order of bytes. */
const offsetDigits = 16;

/** Pieces as objects `<prefix><upload>/<offset>`, put together in the end: an S3 object cannot grow. */
export function createS3Growing(bucket: S3Bucket, prefix: string, blobs: string): GrowingStore {
  const folderOf = (upload: string): string => {
    if (!isSafeId(upload)) throw new RangeError('an upload id must be letters, digits, - and _');
    return `${prefix}${upload}/`;
  };
  const piecesOf = async (upload: string): Promise<{ key: string; size: number }[]> => {
    const pieces: { key: string; size: number }[] = [];
    for await (const { key, size } of bucket.list(folderOf(upload))) pieces.push({ key, size });
    return pieces;
  };
  return {
    async append(upload, offset, body, options) {
      const key = `${folderOf(upload)}${String(offset).padStart(offsetDigits, '0')}`;
      const pieces = await piecesOf(upload);
      const kept = pieces.filter((piece) => piece.key < key);
      const present = kept.reduce((sum, piece) => sum + piece.size, 0);
      if (present < offset) throw new RangeError('the upload has lost bytes that were acknowledged');
      await bucket.remove(pieces.filter((piece) => piece.key >= key).map((piece) => piece.key));
      return bucket.put(key, body, options);
    },
    async finish(upload, version) {
      const keys = (await piecesOf(upload)).map((piece) => piece.key);
      if (keys.length === 0) return (await bucket.stat(blobs + version)) !== null;
      await bucket.put(blobs + version, concatenate(bucket, keys), { maxBytes: Number.POSITIVE_INFINITY });
      await bucket.remove(keys);
      return true;
    },
    async discard(upload) {
      await bucket.remove((await piecesOf(upload)).map((piece) => piece.key));
    },
    list: () => listUploads(bucket, prefix),
  };
}
