import type { IncomingHttpHeaders } from 'node:http';
import type { HttpRequest } from '../../http/exchange.ts';
import type { StorageDeps } from '../deps.ts';
import { StorageError } from '../errors.ts';
import { type Principal, verifyPrincipal } from '../principal.ts';
import { servicePrincipal } from '../scope.ts';
import { canonicalHash } from './canonical.ts';
import { equals, isSignedBy, readSignature, requireTimely, type Signature, signingKey } from './signature.ts';

/** A request whose signature was right. */
export type Authorized = {
  readonly principal: Principal;
  readonly signature: Signature;
  /** Signs the chunks of a streamed body. */
  readonly key: Buffer;
};

/**
 * Headers of AWS that need not be signed: date and hash are a part of what is signed, and the others say nothing that the
 * endpoint heeds; proxies and browsers add them.
 */
const unsignable: ReadonlySet<string> = new Set([
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-user-agent',
  'x-amz-cf-id',
]);

/** Regions that clients sign for when nobody told them one. */
const anyRegions = ['auto', 'us-east-1', ''];

/** Secret and principal of an access key, before its signature is known to be right. */
export type Claimant = { readonly secret: string; readonly principal: () => Promise<Principal> };

/**
 * Whom a signature claims to be: the instance's key is the service role; with a session token the token is a user's JWT
 * and the secret is the public anon key, so that the token alone decides. Throws `AccessDenied`.
 */
export function claimantOf(deps: StorageDeps, accessKey: string, sessionToken: string | undefined): Claimant {
  const { keys, verifier } = deps;
  if (sessionToken !== undefined) {
    return { secret: keys.api.anonToken, principal: () => verifyPrincipal(sessionToken, verifier) };
  }
  if (!equals(accessKey, keys.s3.accessKeyId)) throw new StorageError('AccessDenied', 'Invalid Access Key');
  return { secret: keys.s3.secretAccessKey, principal: () => Promise.resolve(servicePrincipal) };
}

/**
 * Throws `AccessDenied` for a scope that is not this service in the region that it insists on, `SignatureDoesNotMatch`
 * for any other region than those that clients sign for.
 */
export function requireScope(
  deps: StorageDeps,
  { service, region }: Pick<Signature, 'service' | 'region'>,
): void {
  const isOwn = region === deps.keys.s3.region;
  if (deps.config.enforcesS3Region && !isOwn) throw new StorageError('AccessDenied', 'Invalid Region');
  if (service !== 's3') throw new StorageError('AccessDenied', 'Invalid Service');
  if (!isOwn && !anyRegions.includes(region)) throw mismatch();
}

const mismatch = (hint = '. Check your key and signing method.') =>
  new StorageError(
    'SignatureDoesNotMatch',
    `The request signature we calculated does not match the signature you provided${hint}`,
  );

const sessionHint = ', Check your credentials. The session token should be a valid JWT token';

/**
 * Verifies the request's signature, for whichever of its hosts the client signed: behind a proxy the one that arrives
 * is not the one that was asked. Throws `SignatureDoesNotMatch`, or what the parts of a signature give.
 */
export async function authorize(deps: StorageDeps, request: HttpRequest): Promise<Authorized> {
  const signature = readSignature(request);
  requireScope(deps, signature);
  requireTimely(signature, deps.clock.now());
  const claimant = claimantOf(deps, signature.accessKey, signature.sessionToken);
  const key = signingKey(claimant.secret, signature);
  const isRight = hostsOf(deps, request).some((host) =>
    isSignedBy(
      key,
      signature,
      canonicalHash({
        method: request.method,
        path: request.fullPath,
        query: request.query,
        headers: request.headers,
        host,
        signedHeaders: signature.signedHeaders,
        payloadHash: signature.payloadHash,
      }),
    ),
  );
  if (!isRight || !signature.signedHeaders.includes('host')) {
    throw mismatch(signature.sessionToken === undefined ? undefined : sessionHint);
  }
  requireAllSigned(request.headers, signature.signedHeaders);
  return { principal: await claimant.principal(), signature, key };
}

/**
 * Throws `AccessDenied` for a header of AWS that is not signed, as AWS does: whoever is handed a URL to fill one object
 * could copy another into it otherwise.
 */
function requireAllSigned(headers: IncomingHttpHeaders, signedHeaders: readonly string[]): void {
  const signed = new Set(signedHeaders.map((name) => name.toLowerCase()));
  const isOpen = (name: string): boolean =>
    name.startsWith('x-amz-') && !signed.has(name) && !unsignable.has(name);
  if (Object.keys(headers).some(isOpen)) {
    throw new StorageError('AccessDenied', 'There were headers present in the request which were not signed');
  }
}

/** Every host that the client may have addressed. Trying one too many cannot make a wrong signature right. */
function hostsOf({ publicUrl }: StorageDeps, { headers }: HttpRequest): readonly string[] {
  const forwarded = headers['x-forwarded-host'];
  const port = headers['x-forwarded-port'];
  const hosts = new Set<string>();
  if (headers.host !== undefined) hosts.add(headers.host);
  for (const value of [forwarded].flat()) {
    const host = value?.split(',')[0]?.trim();
    if (host === undefined || host === '') continue;
    hosts.add(host);
    if (typeof port === 'string') hosts.add(`${host.replace(/:\d+$/, '')}:${port}`);
  }
  const named = /host="?([^";,]+)/i.exec(headers.forwarded ?? '')?.[1];
  if (named !== undefined) hosts.add(named);
  hosts.add(new URL(publicUrl).host);
  return [...hosts];
}
