import { StorageError } from './errors.ts';

/*
 * What buckets and objects may be called. Object names are keys, not paths: nothing is ever built from them on disk,
 * but segments that mean something to a file system are refused all the same, since clients write listings to disk.
 */

// The hyphen stands last so that it is no range.
const objectName = /^[A-Za-z0-9_/!.*'() &$=@;:+,?-]+$/;
const bucketName = /^[A-Za-z0-9_!.*'() &$=@;:+,?-]{1,100}$/;
const reservedBucketSuffix = '--table-s3';
const maxNameBytes = 1024;
const maxSegmentBytes = 255;

/** Whether an object may have this name: the characters that upstream allows, no `.` or `..` segment, bounded length. */
export function isValidObjectName(name: string): boolean {
  if (!objectName.test(name) || name.length > maxNameBytes) return false;
  return name
    .split('/')
    .every((segment) => segment !== '.' && segment !== '..' && segment.length <= maxSegmentBytes);
}

/** Throws `InvalidKey` for a name with characters that no object's name has. */
export function requireNameCharacters(name: string): void {
  if (!objectName.test(name)) throw new StorageError('InvalidKey', name);
}

/** Throws `InvalidKey` for a name that no object can have. */
export function requireObjectName(name: string): void {
  if (!isValidObjectName(name)) throw new StorageError('InvalidKey', name);
}

/** Throws `InvalidBucketName` for an id that no bucket can have. */
export function requireBucketId(id: string): void {
  if (!bucketName.test(id)) throw new StorageError('InvalidBucketName');
}

/** Throws `InvalidBucketName` for a name that a new bucket cannot have. */
export function requireNewBucketName(name: string): void {
  if (name.trim() !== name || name.endsWith(reservedBucketSuffix) || name === '.' || name === '..') {
    throw new StorageError('InvalidBucketName');
  }
  requireBucketId(name);
}

/** Whether the object only keeps a folder visible: it must be empty, and its type does not count. */
export const isFolderPlaceholder = (name: string): boolean => name.endsWith('.emptyFolderPlaceholder');

/** The deprecated `owner` column holds uuids only. */
export const isUuid = (text: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-5][0-9a-f]{3}-[089ab][0-9a-f]{3}-[0-9a-f]{12}$/i.test(text);

const sizeUnits: Readonly<Record<string, number>> = { gb: 1e9, mb: 1e6, kb: 1e3, b: 1 };

/** Bytes of a size such as `1.5GB`: decimal units, the number rounded to three significant digits as upstream does. */
export function parseFileSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(gb|mb|kb|b)$/i.exec(text);
  const unit = sizeUnits[match?.[2]?.toLowerCase() ?? ''];
  if (match === null || unit === undefined) throw new StorageError('InvalidFileSizeLimit');
  return Math.round(Number(Number(match[1]).toPrecision(3)) * unit);
}
