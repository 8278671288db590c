import { loadSamlXml } from './library.ts';
import type { SamlKey } from './service-provider.ts';

/*
 * What the SAML library does not offer as such, by its own functions on XML.
 */

/** As much of an element of the DOM as is needed here. */
type DomElement = {
  readonly parentNode: DomElement | null;
  /** Documents have none. */
  readonly attributes?: ArrayLike<{ readonly name: string; readonly value: string }>;
  hasAttribute(name: string): boolean;
  setAttributeNS(namespace: string, name: string, value: string): void;
};

const xmlns = 'http://www.w3.org/2000/xmlns/';
const protocol = 'urn:oasis:names:tc:SAML:2.0:protocol';
const named = (name: string, namespace: string): string =>
  `*[local-name(.)="${name}" and namespace-uri(.)="${namespace}"]`;
const resolvePath = `/${named('ArtifactResolve', protocol)}`;
const issuerPath = `/${named('Issuer', 'urn:oasis:names:tc:SAML:2.0:assertion')}`;
const soap = 'http://schemas.xmlsoap.org/soap/envelope/';
const answerPath = `/${named('Envelope', soap)}/${named('Body', soap)}/${named('ArtifactResponse', protocol)}`;
const responsePath = `./${named('Response', protocol)}`;
const signaturePath = `./${named('Signature', 'http://www.w3.org/2000/09/xmldsig#')}`;

/** Signs a request for an artifact's response, with what upstream signs requests with. */
export async function signArtifactResolve(xml: string, { key }: SamlKey): Promise<string> {
  const { signXml } = await loadSamlXml();
  const privateKey = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return signXml(
    xml,
    resolvePath,
    { reference: `${resolvePath}${issuerPath}`, action: 'after' },
    { privateKey, signatureAlgorithm: 'sha1', digestAlgorithm: 'sha1' },
  );
}

const pemOf = (certificate: string): string =>
  `-----BEGIN CERTIFICATE-----\n${certificate.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

/**
 * The response within the answer to an artifact, as a document of its own. Rejects when there is not exactly one, or
 * when the answer is signed and its signature is wrong.
 */
export async function extractResponse(xml: string, certificates: readonly string[]): Promise<string> {
  const { parseDomFromString, validateSignature, xpath } = await loadSamlXml();
  const [answer, ...otherAnswers] = xpath.selectElements(await parseDomFromString(xml), answerPath);
  if (answer === undefined || otherAnswers.length > 0)
    throw new Error('there is no response to the artifact');
  const isSigned = xpath.selectElements(answer, signaturePath).length > 0;
  if (isSigned && !validateSignature(xml, answer, certificates.map(pemOf))) {
    throw new Error('the signature of the answer to the artifact is wrong');
  }
  const [response, ...others]: DomElement[] = xpath.selectElements(answer, responsePath);
  if (response === undefined || others.length > 0) throw new Error('the artifact stands for no response');
  keepNamespaces(response);
  return String(response);
}

/** Gives an element the names of the elements around it, since its signatures were made where those hold. */
function keepNamespaces(element: DomElement): void {
  for (let outer = element.parentNode; outer !== null; outer = outer.parentNode) {
    for (const { name, value } of Array.from(outer.attributes ?? [])) {
      const isNamespace = name === 'xmlns' || name.startsWith('xmlns:');
      if (isNamespace && !element.hasAttribute(name)) element.setAttributeNS(xmlns, name, value);
    }
  }
}
