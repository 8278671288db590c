import { createHash, createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';

/** Options of a browser's WebAuthn call, as far as an authenticator looks at them. */
export type CredentialOptions = {
  readonly challenge: string;
  readonly rp?: { readonly id?: string };
  readonly rpId?: string;
  readonly user?: { readonly id: string };
};

/** A credential as browsers serialise it. */
export type CredentialJson = {
  readonly id: string;
  readonly rawId: string;
  readonly type: 'public-key';
  readonly response: Readonly<Record<string, unknown>>;
  readonly clientExtensionResults: object;
};

/** A security key in software that holds one credential. */
export type Authenticator = {
  create(options: CredentialOptions): CredentialJson;
  get(options: CredentialOptions): CredentialJson;
};

const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();

const present = 0x01;
const verified = 0x04;
const withCredential = 0x40;

/** Makes an authenticator for pages of an origin. */
export function createAuthenticator(origin: string): Authenticator {
  const id = randomBytes(32);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let signCount = 0;
  let userHandle = '';
  const clientData = (type: string, challenge: string): Buffer =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
  const authenticatorData = (rpId: string, flags: number): Buffer => {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(signCount++);
    return Buffer.concat([sha256(rpId), Buffer.from([flags]), count]);
  };
  const wrap = (response: Readonly<Record<string, unknown>>): CredentialJson => ({
    id: id.toString('base64url'),
    rawId: id.toString('base64url'),
    type: 'public-key',
    response,
    clientExtensionResults: {},
  });
  return {
    create({ challenge, rp, user }) {
      userHandle = user?.id ?? '';
      const head = authenticatorData(rp?.id ?? '', present | verified | withCredential);
      const aaguid = Buffer.alloc(16);
      const authData = Buffer.concat([head, aaguid, Buffer.from([0, id.length]), id, coseKey(publicKey)]);
      return wrap({
        clientDataJSON: clientData('webauthn.create', challenge).toString('base64url'),
        attestationObject: attestation(authData).toString('base64url'),
        transports: ['internal'],
      });
    },
    get({ challenge, rpId }) {
      const authData = authenticatorData(rpId ?? '', present | verified);
      const data = clientData('webauthn.get', challenge);
      const signed = createSign('sha256').update(Buffer.concat([authData, sha256(data)]));
      return wrap({
        clientDataJSON: data.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: signed.sign(privateKey).toString('base64url'),
        userHandle,
      });
    },
  };
}

/** The public key by COSE: an EC key for ES256 on P-256. */
function coseKey(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  return Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'),
    Buffer.from(x, 'base64url'),
    Buffer.from('225820', 'hex'),
    Buffer.from(y, 'base64url'),
  ]);
}

/** An attestation object by CBOR that attests nothing. */
function attestation(authData: Buffer): Buffer {
  const text = (word: string): Buffer =>
    Buffer.concat([Buffer.from([0x60 + word.length]), Buffer.from(word)]);
  return Buffer.concat([
    Buffer.from([0xa3]),
    ...[text('fmt'), text('none')],
    ...[text('attStmt'), Buffer.from([0xa0])],
    ...[text('authData'), Buffer.from([0x58, authData.length]), authData],
  ]);
}
