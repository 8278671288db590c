import type { SAML } from '@node-saml/node-saml';
import type { AuthContext } from '../context.ts';
import type { IdentityProvider } from './identity-provider.ts';
import { loadSaml } from './library.ts';
import { assertionProblem, maxClockSkewMs, type ResponseCase, responseProblem } from './response.ts';
import type { SamlKey, ServiceProvider } from './service-provider.ts';
import { child, parseXml, type XmlElement } from './xml.ts';

type Options = ConstructorParameters<typeof SAML>[0];

async function client(
  provider: ServiceProvider,
  idp: IdentityProvider,
  key: SamlKey,
  more: Partial<Options> = {},
): Promise<SAML> {
  const { SAML: Saml, ValidateInResponseTo } = await loadSaml();
  const privateKey = key.key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return new Saml({
    issuer: provider.entityId,
    audience: provider.entityId,
    callbackUrl: provider.acsUrl,
    entryPoint: idp.redirectUrl,
    idpIssuer: idp.entityId,
    idpCert: [...idp.certificates],
    privateKey,
    decryptionPvk: privateKey,
    // What upstream signs with; identity providers that check signatures are set up for it.
    signatureAlgorithm: 'sha1',
    disableRequestedAuthnContext: true,
    // One of the two suffices, as the profile says; the library insists on that one.
    wantAuthnResponseSigned: false,
    wantAssertionsSigned: false,
    acceptedClockSkewMs: maxClockSkewMs,
    // Which request is answered is checked against the relay state, of what was signed.
    validateInResponseTo: ValidateInResponseTo.never,
    ...more,
  });
}

/** A request that a browser carries to an identity provider. */
export type AuthnRequest = {
  readonly id: string;
  readonly nameIdFormat: string;
  readonly relayState: string;
};

/** Where a browser goes with a request. */
export async function authnRequestUrl(
  provider: ServiceProvider,
  idp: IdentityProvider,
  request: AuthnRequest,
): Promise<string> {
  const saml = await client(provider, idp, provider.key, {
    identifierFormat: request.nameIdFormat,
    generateUniqueId: () => request.id,
  });
  return saml.getAuthorizeUrlAsync(request.relayState, undefined, {});
}

/** Reads a response's envelope, without trust. Rejects with `SyntaxError` for what is none. */
export async function peekResponse(xml: string): Promise<XmlElement> {
  const response = child(await parseXml(xml), 'Response');
  if (response === null) throw new SyntaxError('no response');
  return response;
}

/** The assertion of a response, verified. Rejects with an `Error` that says what is wrong with it. */
export async function verifyResponse(
  context: Pick<AuthContext, 'clock'>,
  provider: ServiceProvider,
  idp: IdentityProvider,
  response: { readonly encoded: string; readonly requestId: string | null },
): Promise<XmlElement> {
  const about: ResponseCase = {
    acsUrl: provider.acsUrl,
    entityId: idp.entityId,
    requestId: response.requestId,
    nowMs: context.clock.now(),
  };
  const xml = Buffer.from(response.encoded, 'base64').toString();
  const envelopeProblem = responseProblem(await peekResponse(xml), about);
  if (envelopeProblem !== null) throw new Error(envelopeProblem);
  if (idp.certificates.length === 0) throw new Error('the metadata has no certificate');
  const signed = await verifyWithAnyKey(provider, idp, response.encoded);
  const assertion = child(await parseXml(signed), 'Assertion');
  if (assertion === null) throw new Error('there is no assertion');
  const problem = assertionProblem(assertion, about);
  if (problem !== null) throw new Error(problem);
  return assertion;
}

/** The signed XML of the assertion; in a rotation it may be encrypted for the key that is to come. */
async function verifyWithAnyKey(
  provider: ServiceProvider,
  idp: IdentityProvider,
  encoded: string,
): Promise<string> {
  const verify = async (key: SamlKey): Promise<string> => {
    const saml = await client(provider, idp, key);
    const { profile } = await saml.validatePostResponseAsync({ SAMLResponse: encoded });
    return profile?.getAssertionXml?.() ?? '';
  };
  try {
    return await verify(provider.key);
  } catch (thrown) {
    if (!provider.allowsEncryption || provider.nextKey === null) throw thrown;
    try {
      return await verify(provider.nextKey);
    } catch {
      // The first refusal is the one that tells what is wrong.
      throw thrown;
    }
  }
}
