import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { AuthDeps } from '../deps.ts';
import { samlCertificate } from './certificate.ts';

/** A private key with the certificate that tells identity providers of it. */
export type SamlKey = { readonly key: KeyObject; readonly certificate: Buffer };

/** What this instance is to identity providers. */
export type ServiceProvider = {
  readonly entityId: string;
  readonly acsUrl: string;
  readonly sloUrl: string;
  readonly key: SamlKey;
  /** The key that is to come after it, in a rotation. */
  readonly nextKey: SamlKey | null;
  readonly allowsEncryption: boolean;
};

function readKey(name: string, text: string): KeyObject {
  const der = Buffer.from(text, 'base64');
  if (der.toString('base64') !== text.trim())
    throw new RangeError(`SAML ${name} not in standard Base64 format`);
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: der, format: 'der', type: 'pkcs1' });
  } catch {
    // The library's reason is about DER; what the operator has to know is the form.
    throw new RangeError(`SAML ${name} not in PKCS#1 format`);
  }
  const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (publicExponent !== 65_537n) {
    throw new RangeError(`SAML ${name} should use the 65537 (0x10001) RSA public exponent`);
  }
  if (modulusLength < 2048) throw new RangeError(`SAML ${name} must be at least RSA 2048`);
  return key;
}

/**
 * The service provider of the configuration; null while SAML is off. Throws `RangeError` for an unusable key.
 * Upstream: internal/conf/saml.go.
 */
export function createServiceProvider({
  config,
  externalUrl,
}: Pick<AuthDeps, 'config' | 'externalUrl'>): ServiceProvider | null {
  if (!config.samlEnabled) return null;
  const host = new URL(externalUrl).hostname;
  const allowsEncryption = config.samlAllowEncryptedAssertions;
  const withCertificate = (name: string, text: string): SamlKey => {
    const key = readKey(name, text);
    return { key, certificate: samlCertificate(key, host, allowsEncryption) };
  };
  const base = `${(config.samlExternalUrl ?? externalUrl).replace(/\/$/, '')}/sso/saml`;
  return {
    entityId: `${base}/metadata`,
    acsUrl: `${base}/acs`,
    sloUrl: `${base}/slo`,
    key: withCertificate('private key', config.samlPrivateKey ?? ''),
    nextKey:
      config.samlPrivateKeyNext === null
        ? null
        : withCertificate('next private key', config.samlPrivateKeyNext),
    allowsEncryption,
  };
}
