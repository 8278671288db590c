import { type Clock, epochSeconds } from '../../core/clock.ts';
import { type SigningKey, signToken } from '../../identity/sign.ts';
import type { Claims, TokenVerifier } from '../../identity/verify.ts';
import { StorageError } from '../errors.ts';
import { tokenFailureText } from '../principal.ts';

/*
 * Tokens of signed URLs: a JWT that names one object and one purpose. Only what this module puts in is ever signed, so
 * that no caller's data can become a role, a path or another purpose.
 */

/** What a signed URL lets its holder do. */
export type Purpose = 'download' | 'upload';

/** A verified token. */
export type SignedToken = {
  readonly expiresAt: number;
  /** Uploads: owner of the object, and whether an existing one is replaced. */
  readonly owner: string | null;
  readonly isUpsert: boolean;
  /** Downloads of transformed images: the parameters that were signed. */
  readonly transformations: string;
  readonly format: string;
};

const maxEpochSeconds = Math.floor(Number.MAX_SAFE_INTEGER / 1000);

/** Throws `InvalidParameter` for a lifetime whose end no date can hold. */
export function requireLifetime(seconds: number, clock: Clock): void {
  if (!Number.isSafeInteger(seconds) || seconds < 1 || seconds > maxEpochSeconds - epochSeconds(clock)) {
    throw new StorageError('InvalidParameter', 'expiresIn');
  }
}

/** Signs a download of `<bucket>/<name>`, with the image transformations that go with it. */
export function signDownload(
  key: SigningKey,
  clock: Clock,
  path: string,
  seconds: number,
  image: { readonly transformations: string; readonly format: string } = { transformations: '', format: '' },
): Promise<string> {
  const now = epochSeconds(clock);
  return signToken(
    {
      ...(image.transformations === '' ? {} : { transformations: image.transformations }),
      ...(image.format === '' ? {} : { format: image.format }),
      url: path,
      scope: 'download',
      iat: now,
      exp: now + seconds,
    },
    key,
  );
}

/** Signs an upload to `<bucket>/<name>`. */
export function signUpload(
  key: SigningKey,
  clock: Clock,
  path: string,
  seconds: number,
  upload: { readonly owner: string | null; readonly isUpsert: boolean },
): Promise<string> {
  const now = epochSeconds(clock);
  return signToken(
    {
      ...(upload.owner === null ? {} : { owner: upload.owner }),
      url: path,
      upsert: upload.isUpsert,
      scope: 'upload',
      iat: now,
      exp: now + seconds,
    },
    key,
  );
}

/** The purpose of a token: its scope; older ones have none and are uploads when they speak of upsert. */
function purposeOf(claims: Claims): unknown {
  if (claims.scope !== undefined) return claims.scope;
  return claims.upsert === undefined ? 'download' : 'upload';
}

/**
 * Verifies a token for a purpose and a path; throws `InvalidJWT`, then `InvalidSignature`.
 * Upstream: verifyObjectSignature in src/storage/object.ts.
 */
export async function verifySigned(
  verifier: TokenVerifier,
  token: string,
  purpose: Purpose,
  path: string,
): Promise<SignedToken> {
  const verified = await verifier.verify(token);
  if (!verified.ok) throw new StorageError('InvalidJWT', tokenFailureText(verified.error));
  const { claims, expiresAt } = verified.value;
  if (purposeOf(claims) !== purpose) {
    throw new StorageError('InvalidSignature', `Token is not scoped for ${purpose}`);
  }
  if (claims.url !== path || !Number.isFinite(expiresAt)) throw new StorageError('InvalidSignature');
  return {
    expiresAt,
    owner: typeof claims.owner === 'string' ? claims.owner : null,
    isUpsert: claims.upsert === true,
    transformations: typeof claims.transformations === 'string' ? claims.transformations : '',
    format: typeof claims.format === 'string' ? claims.format : '',
  };
}
