import { type GrowingStore, requireSafeId } from './object-store.ts';
import { concatenate, type S3Bucket } from './s3-bucket.ts';
import { listUploads, requireRemoved } from './s3-parts.ts';

/** Digits of an offset in a key, so that the order of keys is the order of bytes. */
const offsetDigits = 16;

type Piece = { readonly key: string; readonly offset: number; readonly size: number };

/** Pieces as objects `<prefix><upload>/<offset>`, put together in the end: an S3 object cannot grow. */
export function createS3Growing(bucket: S3Bucket, prefix: string, blobs: string): GrowingStore {
  const folderOf = (upload: string): string => `${prefix}${requireSafeId(upload)}/`;
  const piecesOf = async (upload: string): Promise<Piece[]> => {
    const folder = folderOf(upload);
    const pieces: Piece[] = [];
    for await (const { key, size } of bucket.list(folder)) {
      pieces.push({ key, size, offset: Number(key.slice(folder.length)) });
    }
    return pieces;
  };
  const discard = async (pieces: readonly Piece[]): Promise<void> =>
    requireRemoved(await bucket.remove(pieces.map(({ key }) => key)));
  return {
    async append(upload, offset, body, options) {
      const pieces = await piecesOf(upload);
      requireWhole(
        pieces.filter((piece) => piece.offset < offset),
        offset,
      );
      await discard(pieces.filter((piece) => piece.offset >= offset));
      return bucket.put(`${folderOf(upload)}${String(offset).padStart(offsetDigits, '0')}`, body, options);
    },
    async finish(upload, version, size) {
      const pieces = await piecesOf(upload);
      const blob = await bucket.stat(blobs + version);
      if (blob !== null) {
        // Pieces beside their blob are what a removal that was cut off has left: they are not all there is.
        if (blob.size !== size) throw lostBytes();
      } else if (pieces.length === 0) {
        return false;
      } else {
        requireWhole(pieces, size);
        const keys = pieces.map(({ key }) => key);
        await bucket.put(blobs + version, concatenate(bucket, keys), { maxBytes: size });
      }
      await discard(pieces);
      return true;
    },
    discard: async (upload) => discard(await piecesOf(upload)),
    list: () => listUploads(bucket, prefix),
  };
}

const lostBytes = () => new RangeError('the upload has lost bytes that were acknowledged');

/** Throws unless the pieces, in order, are exactly the first bytes of the upload. */
function requireWhole(pieces: readonly Piece[], size: number): void {
  let end = 0;
  for (const piece of pieces) {
    if (piece.offset !== end) throw lostBytes();
    end += piece.size;
  }
  if (end !== size) throw lostBytes();
}
