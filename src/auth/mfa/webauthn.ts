import type {
  AuthenticationResponseJSON,
  AuthenticatorTransport,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import type { AuthConfig } from '../deps.ts';

/** Domain, name and origins that credentials belong to. */
export type RelyingParty = {
  readonly id: string;
  readonly name: string;
  readonly origins: readonly string[];
};

/** The relying party of the configuration; unset parts follow from the site URL. */
export function relyingParty(config: AuthConfig): RelyingParty {
  const site = new URL(config.siteUrl);
  const id = config.webauthnRpId ?? site.hostname;
  return {
    id,
    name: config.webauthnRpDisplayName ?? id,
    origins: config.webauthnRpOrigins.length > 0 ? config.webauthnRpOrigins : [site.origin],
  };
}

/** A credential that was registered. */
export type StoredCredential = {
  readonly id: Buffer;
  readonly publicKey: Buffer;
  readonly signCount: number;
  readonly transports: readonly string[];
};

/** What a registration proved. */
export type NewCredential = StoredCredential & {
  readonly aaguid: string;
  readonly attestationType: string;
  readonly isBackupEligible: boolean;
  readonly isBackedUp: boolean;
};

/** Who registers. */
export type WebauthnUser = { readonly id: string; readonly name: string; readonly displayName: string };

const timeoutMs = 300_000;

/** Signature algorithms that credentials may use, by their COSE numbers, in upstream's order. */
const algorithms = [-7, -35, -36, -257, -258, -259, -37, -38, -39, -8] as const;

// The library is large and most instances never need it.
const library = () => import('@simplewebauthn/server');

const transportsOf = (credential: StoredCredential): AuthenticatorTransport[] =>
  // Browsers ignore names that they do not know.
  [...credential.transports] as AuthenticatorTransport[];

/** Options with which a browser makes a credential: as second factor, or as passkey, which the device itself keeps. */
export async function creationOptions(
  party: RelyingParty,
  user: WebauthnUser,
  existing: readonly StoredCredential[],
  use: 'factor' | 'passkey',
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { generateRegistrationOptions } = await library();
  const options = await generateRegistrationOptions({
    rpName: party.name,
    rpID: party.id,
    userName: user.name,
    userID: new Uint8Array(Buffer.from(user.id)),
    userDisplayName: user.displayName,
    timeout: timeoutMs,
    attestationType: 'none',
    excludeCredentials: existing.map(({ id }) => ({ id: id.toString('base64url') })),
    supportedAlgorithmIDs: [...algorithms],
  });
  // The library has wishes of its own, such as that a security key keeps the credential in one of its few places.
  const { extensions, hints, attestation, authenticatorSelection, excludeCredentials, ...wanted } = options;
  return {
    ...wanted,
    ...(existing.length === 0 || excludeCredentials === undefined ? {} : { excludeCredentials }),
    ...(use === 'factor'
      ? { authenticatorSelection: {} }
      : {
          attestation: 'none',
          authenticatorSelection: { residentKey: 'required', userVerification: 'preferred' },
        }),
  };
}

/** Options with which a browser uses a credential; none allowed means any that the authenticator has. */
export async function requestOptions(
  party: RelyingParty,
  allowed: readonly StoredCredential[],
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const { generateAuthenticationOptions } = await library();
  const options = await generateAuthenticationOptions({
    rpID: party.id,
    timeout: timeoutMs,
    userVerification: 'preferred',
    allowCredentials: allowed.map((credential) => ({
      id: credential.id.toString('base64url'),
      transports: transportsOf(credential),
    })),
  });
  const { allowCredentials, userVerification, ...rest } = options;
  return allowed.length > 0
    ? { ...rest, allowCredentials: allowCredentials ?? [] }
    : { ...rest, userVerification: 'preferred' };
}

/** Checks what a browser made; null when it does not answer the challenge. */
export async function verifyCreation(
  party: RelyingParty,
  challenge: string,
  response: RegistrationResponseJSON,
): Promise<NewCredential | null> {
  const { verifyRegistrationResponse } = await library();
  try {
    const { registrationInfo } = await verifyRegistrationResponse({
      response,
      expectedChallenge: challenge,
      supportedAlgorithmIDs: [...algorithms],
      expectedOrigin: [...party.origins],
      expectedRPID: party.id,
      requireUserVerification: false,
    });
    if (registrationInfo === undefined) return null;
    const { credential, aaguid, fmt, credentialDeviceType, credentialBackedUp } = registrationInfo;
    return {
      id: Buffer.from(credential.id, 'base64url'),
      publicKey: Buffer.from(credential.publicKey),
      signCount: credential.counter,
      transports: credential.transports ?? [],
      aaguid,
      attestationType: fmt,
      isBackupEligible: credentialDeviceType === 'multiDevice',
      isBackedUp: credentialBackedUp,
    };
  } catch {
    // The library throws for every mismatch; which one it was is not for the client.
    return null;
  }
}

/** Checks the use of a credential; yields its new counter, or null when it does not answer the challenge. */
export async function verifyRequest(
  party: RelyingParty,
  challenge: string,
  response: AuthenticationResponseJSON,
  credential: StoredCredential,
): Promise<number | null> {
  const { verifyAuthenticationResponse } = await library();
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: [...party.origins],
      expectedRPID: party.id,
      requireUserVerification: false,
      credential: {
        id: credential.id.toString('base64url'),
        publicKey: new Uint8Array(credential.publicKey),
        counter: credential.signCount,
        transports: transportsOf(credential),
      },
    });
    return verified ? authenticationInfo.newCounter : null;
  } catch {
    // As above.
    return null;
  }
}
