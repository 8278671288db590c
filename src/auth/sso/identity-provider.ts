import { attribute, child, children, parseXml, textOf, type XmlElement } from './xml.ts';

/** What an identity provider's metadata says. */
export type IdentityProvider = {
  readonly entityId: string;
  /** Where browsers are sent with a request; empty when the provider does not take them by redirect. */
  readonly redirectUrl: string;
  /** Where responses are asked for that browsers bring an artifact of; empty when there are none. */
  readonly artifactUrl: string;
  /** Certificates that assertions may be signed with, as Base64 of DER. */
  readonly certificates: readonly string[];
  /** In epoch milliseconds; null when the document does not say. */
  readonly validUntilMs: number | null;
  readonly cacheMs: number | null;
};

/** Metadata that cannot be used, in words for the administrator. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError';
}

const soapBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:SOAP';
const redirectBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';

function entityOf(root: XmlElement): XmlElement {
  const [single] = children(root, 'EntityDescriptor');
  if (single !== undefined) return single;
  const several = children(child(root, 'EntitiesDescriptor'), 'EntityDescriptor');
  const found = several.find((entity) => children(entity, 'IDPSSODescriptor').length > 0);
  if (found === undefined) throw new MetadataError('SAML Metadata does not contain any EntityDescriptor');
  return found;
}

const durationShape = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const dayMs = 86_400_000;
const partsMs = [365 * dayMs, 30 * dayMs, dayMs, 3_600_000, 60_000, 1000];

/** Milliseconds of an ISO 8601 duration; null for anything else. */
function durationMs(text: string): number | null {
  const match = durationShape.exec(text);
  if (match === null) return null;
  return match.slice(1).reduce((sum, part, index) => sum + Number(part ?? 0) * (partsMs[index] ?? 0), 0);
}

function certificatesOf(descriptor: XmlElement): readonly string[] {
  return children(descriptor, 'KeyDescriptor')
    .filter((key) => ['', 'signing'].includes(attribute(key, 'use')))
    .flatMap((key) => children(child(key, 'KeyInfo'), 'X509Data'))
    .flatMap((data) => children(data, 'X509Certificate'))
    .map((certificate) => textOf(certificate).replace(/\s+/g, ''))
    .filter((certificate) => certificate !== '');
}

/**
 * Reads a metadata document; rejects with `MetadataError` for one that cannot be used.
 * Upstream: internal/api/ssoadmin.go (parseSAMLMetadata).
 */
export async function readIdentityProvider(xml: string): Promise<IdentityProvider> {
  let root: XmlElement;
  try {
    root = await parseXml(xml);
  } catch (cause) {
    throw new MetadataError('SAML Metadata is not valid XML', { cause });
  }
  const entity = entityOf(root);
  const entityId = attribute(entity, 'entityID');
  if (entityId === '') throw new MetadataError('SAML Metadata does not contain an EntityID');
  const [descriptor, ...others] = children(entity, 'IDPSSODescriptor');
  if (descriptor === undefined)
    throw new MetadataError('SAML Metadata does not contain any IDPSSODescriptor');
  if (others.length > 0) throw new MetadataError('SAML Metadata contains multiple IDPSSODescriptors');
  const locationOf = (service: string, binding: string): string => {
    const found = children(descriptor, service).find((one) => attribute(one, 'Binding') === binding);
    return attribute(found ?? null, 'Location');
  };
  const validUntilMs = Date.parse(attribute(entity, 'validUntil'));
  return {
    entityId,
    redirectUrl: locationOf('SingleSignOnService', redirectBinding),
    artifactUrl: locationOf('ArtifactResolutionService', soapBinding),
    certificates: certificatesOf(descriptor),
    validUntilMs: Number.isNaN(validUntilMs) ? null : validUntilMs,
    cacheMs: durationMs(attribute(entity, 'cacheDuration')),
  };
}

/** Whether a document that came from a URL has to be fetched again: what says nothing is kept for a day. */
export function isMetadataStale(
  provider: Pick<IdentityProvider, 'validUntilMs' | 'cacheMs'>,
  fetchedMs: number,
  nowMs: number,
): boolean {
  const { validUntilMs, cacheMs } = provider;
  if (validUntilMs !== null && nowMs > validUntilMs) return true;
  if (cacheMs) return nowMs > fetchedMs + cacheMs;
  return validUntilMs === null && nowMs > fetchedMs + dayMs;
}
