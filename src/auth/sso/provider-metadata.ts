import type { SamlKey, ServiceProvider } from './service-provider.ts';

const twoDaysMs = 2 * 86_400_000;
const encryptionMethods = ['aes128-cbc', 'aes192-cbc', 'aes256-cbc', 'rsa-oaep-mgf1p'];

const escapeXml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const signature = 'xmlns="http://www.w3.org/2000/09/xmldsig#"';

const keyDescriptor = (use: 'signing' | 'encryption', { certificate }: SamlKey, methods = ''): string =>
  `<KeyDescriptor use="${use}"><KeyInfo ${signature}><X509Data ${signature}><X509Certificate ${signature}>` +
  `${certificate.toString('base64')}</X509Certificate></X509Data></KeyInfo>${methods}</KeyDescriptor>`;

function keyDescriptors({ key, nextKey, allowsEncryption }: ServiceProvider): string {
  const methods = encryptionMethods
    .map(
      (name) => `<EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#${name}"></EncryptionMethod>`,
    )
    .join('');
  const next =
    nextKey === null
      ? ''
      : keyDescriptor('signing', nextKey) + (allowsEncryption ? keyDescriptor('encryption', nextKey) : '');
  return (
    (allowsEncryption ? keyDescriptor('encryption', key, methods) : '') + keyDescriptor('signing', key) + next
  );
}

/** Five years on, for administrators who upload the file by hand. */
function fiveYearsFrom(nowMs: number): string {
  const date = new Date(nowMs);
  date.setUTCFullYear(date.getUTCFullYear() + 5);
  return date.toISOString();
}

/**
 * The document that identity providers are set up with.
 * Upstream: internal/api/saml.go (SAMLMetadata).
 */
export function providerMetadata(provider: ServiceProvider, nowMs: number, isDownload: boolean): string {
  const soon = new Date(nowMs + twoDaysMs).toISOString();
  const cache = provider.nextKey === null ? '' : ' cacheDuration="PT1H"';
  const bindings = 'urn:oasis:names:tc:SAML:2.0:bindings';
  const [sloUrl, acsUrl] = [escapeXml(provider.sloUrl), escapeXml(provider.acsUrl)];
  const metadata = 'xmlns="urn:oasis:names:tc:SAML:2.0:metadata"';
  return [
    `<EntityDescriptor ${metadata} validUntil="${isDownload ? fiveYearsFrom(nowMs) : soon}"${cache}`,
    ` entityID="${escapeXml(provider.entityId)}">`,
    `<SPSSODescriptor ${metadata} validUntil="${soon}"`,
    ' protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" WantAssertionsSigned="true">',
    keyDescriptors(provider),
    `<SingleLogoutService Binding="${bindings}:HTTP-POST" Location="${sloUrl}" ResponseLocation="${sloUrl}">`,
    '</SingleLogoutService>',
    '<NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</NameIDFormat>',
    '<NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</NameIDFormat>',
    `<AssertionConsumerService Binding="${bindings}:HTTP-POST" Location="${acsUrl}" index="1">`,
    '</AssertionConsumerService></SPSSODescriptor></EntityDescriptor>',
  ].join('');
}
