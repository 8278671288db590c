import { createHash } from 'node:crypto';

/** What S3 calls the MD5 of a whole in pieces: the MD5 of the pieces' MD5s, with their number. All in hex. */
export function digestOfPieces(digests: readonly string[]): string {
  const hash = createHash('md5');
  for (const digest of digests) hash.update(Buffer.from(digest, 'hex'));
  return `${hash.digest('hex')}-${digests.length}`;
}
