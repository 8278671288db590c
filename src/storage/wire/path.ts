import { StorageError } from '../errors.ts';

/** The variable parts of a storage path, decoded once: `+` stays, a malformed escape is refused. */
export type PathParams = { readonly bucket: string; readonly name: string };

/**
 * Reads the bucket and the object's name out of a raw path by the route's template (`/object/sign/:bucket/*`).
 * Nothing is normalised: dots, doubled slashes and escapes stay what the client sent.
 */
export function pathParams(template: string, path: string): PathParams {
  const segments = path.split('/');
  const pattern = template.split('/');
  const bucketAt = pattern.indexOf(':bucket');
  const nameAt = pattern.indexOf('*');
  return {
    bucket: bucketAt === -1 ? '' : decode(segments[bucketAt] ?? ''),
    name: nameAt === -1 ? '' : decode(segments.slice(nameAt).join('/')),
  };
}

function decode(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    // The only failure is a malformed escape.
    throw new StorageError('MalformedUrl', raw);
  }
}
