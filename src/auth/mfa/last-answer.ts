import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { Challenge } from '../store/factors.ts';
import type { JsonObject } from '../store/rows.ts';
import { rfc3339 } from '../timestamp.ts';

/*
 * What a security key answered last, kept with its factor and shown with it, in the words of upstream's library: bytes
 * that it took apart are base64, what came from the browser is base64url, and empty members are left out.
 *
 * Upstream: internal/models/factor.go (LastWebAuthnChallengeData), go-webauthn protocol (ParsedCredential...).
 */

// The library is large and most instances never need it.
const library = () => import('@simplewebauthn/server/helpers');

type Bytes = Uint8Array<ArrayBuffer>;

const bytesOf = (text: string): Bytes => new Uint8Array(Buffer.from(text, 'base64url'));
const plain = (bytes: Uint8Array | undefined): string | null =>
  bytes === undefined ? null : Buffer.from(bytes).toString('base64');
const given = <T>(name: string, value: T | undefined | null | false | ''): JsonObject =>
  value ? { [name]: value } : {};

/** An answer as it is kept. */
export async function lastAnswer(
  challenge: Challenge,
  type: 'create' | 'request',
  response: RegistrationResponseJSON | AuthenticationResponseJSON,
): Promise<JsonObject> {
  return {
    challenge: {
      challenge_id: challenge.id,
      factor_id: challenge.factor_id,
      created_at: rfc3339(challenge.created_at),
      ip_address: challenge.ip_address.replace(/\/\d+$/, ''),
      web_authn_session_data: challenge.web_authn_session_data,
    },
    type,
    credential_response:
      'attestationObject' in response.response
        ? await creation(response as RegistrationResponseJSON)
        : await assertion(response as AuthenticationResponseJSON),
  };
}

const credential = (response: RegistrationResponseJSON | AuthenticationResponseJSON): JsonObject => ({
  ID: response.id,
  Type: response.type,
  rawId: plain(bytesOf(response.rawId)),
  ...fromBrowser(response),
});

const fromBrowser = (response: RegistrationResponseJSON | AuthenticationResponseJSON): JsonObject => ({
  ...(Object.keys(response.clientExtensionResults ?? {}).length === 0
    ? {}
    : { clientExtensionResults: response.clientExtensionResults }),
  ...given('authenticatorAttachment', response.authenticatorAttachment),
});

const raw = (
  response: RegistrationResponseJSON | AuthenticationResponseJSON,
  inside: JsonObject,
): JsonObject => ({
  id: response.id,
  type: response.type,
  rawId: response.rawId,
  ...fromBrowser(response),
  response: { clientDataJSON: response.response.clientDataJSON, ...inside },
});

function clientData(text: string): JsonObject {
  const { type, challenge, origin, topOrigin, crossOrigin } = JSON.parse(
    Buffer.from(text, 'base64url').toString(),
  ) as Record<string, string | boolean | undefined>;
  return {
    ...{ type, challenge, origin },
    ...given('topOrigin', topOrigin),
    ...given('crossOrigin', crossOrigin),
  };
}

async function authenticatorData(bytes: Bytes): Promise<JsonObject> {
  const { parseAuthenticatorData } = await library();
  const parsed = parseAuthenticatorData(bytes);
  return {
    rpid: plain(parsed.rpIdHash),
    flags: parsed.flagsBuf[0] ?? 0,
    sign_count: parsed.counter,
    att_data: {
      aaguid: plain(parsed.aaguid),
      credential_id: plain(parsed.credentialID),
      public_key: plain(parsed.credentialPublicKey),
    },
    ext_data: plain(parsed.extensionsDataBuffer),
  };
}

/** Values of a statement of attestation, which may hold bytes anywhere. */
function statementValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return plain(value);
  if (Array.isArray(value)) return value.map(statementValue);
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, item]) => [String(key), statementValue(item)]));
  }
  return typeof value === 'bigint' ? Number(value) : value;
}

async function creation(response: RegistrationResponseJSON): Promise<JsonObject> {
  const { decodeAttestationObject } = await library();
  const { attestationObject, transports, clientDataJSON, publicKey, publicKeyAlgorithm } = response.response;
  const decoded = decodeAttestationObject(bytesOf(attestationObject));
  const authData = decoded.get('authData');
  const statement = statementValue(decoded.get('attStmt')) as JsonObject;
  return {
    ...credential(response),
    Response: {
      CollectedClientData: clientData(clientDataJSON),
      AttestationObject: {
        AuthData: await authenticatorData(authData),
        authData: plain(authData),
        fmt: decoded.get('fmt'),
        ...(Object.keys(statement).length === 0 ? {} : { attStmt: statement }),
      },
      Transports: transports ?? null,
    },
    Raw: raw(response, {
      ...given('transports', transports),
      attestationObject,
      authenticatorData: response.response.authenticatorData ?? null,
      publicKey: publicKey ?? null,
      publicKeyAlgorithm: publicKeyAlgorithm ?? 0,
    }),
  };
}

async function assertion(response: AuthenticationResponseJSON): Promise<JsonObject> {
  const { authenticatorData: data, signature, userHandle, clientDataJSON } = response.response;
  return {
    ...credential(response),
    Response: {
      CollectedClientData: clientData(clientDataJSON),
      AuthenticatorData: await authenticatorData(bytesOf(data)),
      Signature: plain(bytesOf(signature)),
      UserHandle: userHandle ? plain(bytesOf(userHandle)) : null,
    },
    Raw: raw(response, { authenticatorData: data, signature, ...given('userHandle', userHandle) }),
  };
}
