import { randomUUID } from 'node:crypto';
import { SignedXml } from 'xml-crypto';
import * as xmlEncryption from 'xml-encryption';

/** A SAML identity provider that signs whatever a test tells it to. */
export type TestIdentityProvider = {
  readonly entityId: string;
  readonly metadata: string;
  /** A signed response, as browsers post it. */
  readonly respond: (about: AssertionCase) => Promise<string>;
  /** The answer to who asks what an artifact stands for, as SOAP. */
  readonly answerArtifact: (about: ArtifactCase) => string;
};

/** What the answer to an artifact says; the defaults are those of a good one. */
export type ArtifactCase = {
  /** A response, as browsers post it. */
  readonly response: string;
  /** Id of the question. */
  readonly inResponseTo: string;
  readonly issuer?: string;
  readonly issuedAt?: Date;
  readonly status?: string;
  readonly isSigned?: boolean;
  /** Changes the XML, as somebody on the way might. */
  readonly tamper?: (xml: string) => string;
};

/** What an assertion says; the defaults are those of a good one. */
export type AssertionCase = {
  readonly acsUrl: string;
  readonly audience: string;
  readonly inResponseTo?: string;
  readonly nameId?: string;
  readonly nameIdFormat?: string;
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
  readonly issuedAt?: Date;
  readonly expiresAt?: Date;
  readonly recipient?: string;
  readonly destination?: string;
  readonly issuer?: string;
  readonly status?: string;
  readonly sessionEnd?: Date;
  readonly sign?: 'assertion' | 'response' | 'nothing';
  /** Changes the signed XML, as somebody on the way might. */
  readonly tamper?: (xml: string) => string;
  /** Certificate of the service provider that the assertion is encrypted for. */
  readonly encryptFor?: string;
};

/** Key and certificate of the provider, which is for tests alone. */
export type IdpKey = { readonly privateKey: string; readonly certificate: string };

const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
const pemBody = (pem: string): string => pem.replace(/-----[A-Z ]+-----|\s/g, '');

/** Makes a provider with a key. */
export function createIdentityProvider(entityId: string, key: IdpKey): TestIdentityProvider {
  const metadata = `<?xml version="1.0"?>
    <md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entityId}">
      <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
        <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
          <ds:X509Certificate>${pemBody(key.certificate)}</ds:X509Certificate>
        </ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
        <md:ArtifactResolutionService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="${entityId}/artifacts"/>
        <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="${entityId}/post"/>
        <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${entityId}/sso"/>
      </md:IDPSSODescriptor>
    </md:EntityDescriptor>`;
  const sign = (xml: string, element: 'Assertion' | 'Response' | 'ArtifactResponse'): string => {
    const signed = new SignedXml({
      privateKey: key.privateKey,
      signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
      canonicalizationAlgorithm: 'http://www.w3.org/2001/10/xml-exc-c14n#',
    });
    const path = `//*[local-name(.)='${element}']`;
    signed.addReference({
      xpath: path,
      transforms: [
        'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
        'http://www.w3.org/2001/10/xml-exc-c14n#',
      ],
      digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
    });
    signed.computeSignature(xml, {
      location: { reference: `${path}/*[local-name(.)='Issuer']`, action: 'after' },
    });
    return signed.getSignedXml();
  };
  return {
    entityId,
    metadata,
    async respond(about) {
      const mode = about.sign ?? 'assertion';
      const plain = assertionXml(about.issuer ?? entityId, about);
      const assertion = mode === 'assertion' ? sign(plain, 'Assertion') : plain;
      const inner = about.encryptFor === undefined ? assertion : await encrypt(assertion, about.encryptFor);
      const response = responseXml(about.issuer ?? entityId, about, inner);
      const signed = mode === 'response' ? sign(response, 'Response') : response;
      return Buffer.from((about.tamper ?? ((xml: string) => xml))(signed)).toString('base64');
    },
    answerArtifact(about) {
      const plain = artifactXml(about.issuer ?? entityId, about);
      const answer = about.isSigned === true ? sign(plain, 'ArtifactResponse') : plain;
      const changed = about.tamper === undefined ? answer : about.tamper(answer);
      return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${changed}</s:Body></s:Envelope>`;
    },
  };
}

function encrypt(assertion: string, certificate: string): Promise<string> {
  const pem = `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----`;
  const options = {
    rsa_pub: pem,
    pem,
    encryptionAlgorithm: 'http://www.w3.org/2001/04/xmlenc#aes256-cbc',
    keyEncryptionAlgorithm: 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p',
  } as const;
  return new Promise((resolve, reject) => {
    xmlEncryption.encrypt(assertion, options, (error, result) => {
      if (error) reject(error);
      else resolve(`<saml:EncryptedAssertion>${result}</saml:EncryptedAssertion>`);
    });
  });
}

function assertionXml(issuer: string, about: AssertionCase): string {
  const now = about.issuedAt ?? new Date();
  const until = about.expiresAt ?? new Date(now.getTime() + 300_000);
  const answers = about.inResponseTo === undefined ? '' : ` InResponseTo="${about.inResponseTo}"`;
  const end =
    about.sessionEnd === undefined ? '' : ` SessionNotOnOrAfter="${about.sessionEnd.toISOString()}"`;
  const attributes = Object.entries(about.attributes ?? {})
    .map(
      ([name, values]) =>
        `<saml:Attribute Name="${name}">${values
          .map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`)
          .join('')}</saml:Attribute>`,
    )
    .join('');
  return `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_${randomUUID()}" Version="2.0" IssueInstant="${now.toISOString()}"><saml:Issuer>${issuer}</saml:Issuer><saml:Subject><saml:NameID Format="${about.nameIdFormat ?? persistent}">${about.nameId ?? 'user-1'}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData${answers} Recipient="${about.recipient ?? about.acsUrl}" NotOnOrAfter="${until.toISOString()}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${now.toISOString()}" NotOnOrAfter="${until.toISOString()}"><saml:AudienceRestriction><saml:Audience>${about.audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="${now.toISOString()}"${end}><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>${attributes}</saml:AttributeStatement></saml:Assertion>`;
}

function responseXml(issuer: string, about: AssertionCase, inner: string): string {
  const now = about.issuedAt ?? new Date();
  const answers = about.inResponseTo === undefined ? '' : ` InResponseTo="${about.inResponseTo}"`;
  const status = about.status ?? 'urn:oasis:names:tc:SAML:2.0:status:Success';
  return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_${randomUUID()}" Version="2.0" IssueInstant="${now.toISOString()}" Destination="${about.destination ?? about.acsUrl}"${answers}><saml:Issuer>${issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="${status}"/></samlp:Status>${inner}</samlp:Response>`;
}

/** The response takes its prefixes from the answer around it, as identity providers write it. */
function artifactXml(issuer: string, about: ArtifactCase): string {
  const now = about.issuedAt ?? new Date();
  const status = about.status ?? 'urn:oasis:names:tc:SAML:2.0:status:Success';
  const response = Buffer.from(about.response, 'base64')
    .toString()
    .replace(' xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"', '');
  return `<samlp:ArtifactResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_${randomUUID()}" Version="2.0" IssueInstant="${now.toISOString()}" InResponseTo="${about.inResponseTo}"><saml:Issuer>${issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="${status}"/></samlp:Status>${response}</samlp:ArtifactResponse>`;
}
