import type { JsonObject } from '../store/rows.ts';
import { attribute, child, children, textOf, type XmlElement } from './xml.ts';

/** How attributes of an assertion become claims, by the claim's name. */
export type AttributeMapping = {
  readonly keys?:
    | undefined
    | Readonly<
        Record<
          string,
          {
            readonly name?: string | undefined;
            readonly names?: readonly string[] | undefined;
            readonly default?: unknown;
            readonly array?: boolean | undefined;
          }
        >
      >;
};

const formats = {
  email: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  transient: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
} as const;

/** Attributes that hold the address, best first. */
const emailAttributes = [
  'urn:oid:0.9.2342.19200300.100.1.3',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
  'http://schemas.xmlsoap.org/claims/EmailAddress',
  'mail',
  'email',
];

/** Every value of an attribute, by its name or its friendly name, whatever their case. */
function attributeValues(assertion: XmlElement, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  return children(assertion, 'AttributeStatement')
    .flatMap((statement) => children(statement, 'Attribute'))
    .filter((item) =>
      [attribute(item, 'Name'), attribute(item, 'FriendlyName')].some(
        (given) => given.toLowerCase() === wanted,
      ),
    )
    .flatMap((item) => children(item, 'AttributeValue'))
    .map(textOf);
}

const nameId = (assertion: XmlElement): XmlElement | null => child(child(assertion, 'Subject'), 'NameID');

/**
 * What tells a user from all others of the provider for good; empty when the assertion has nothing of the kind.
 * Upstream: internal/api/samlassertion.go (UserID).
 */
export function assertionUserId(assertion: XmlElement): string {
  const [subjectId] = attributeValues(assertion, 'urn:oasis:names:tc:SAML:attribute:subject-id');
  if (subjectId !== undefined) return subjectId;
  const subject = nameId(assertion);
  const format = attribute(subject, 'Format');
  if (format === formats.email) return textOf(subject).trim().toLowerCase();
  return format === formats.transient ? '' : textOf(subject);
}

/** The best guess for the address; empty without one. */
export function assertionEmail(assertion: XmlElement): string {
  const found = emailAttributes
    .flatMap((name) => attributeValues(assertion, name))
    .find((value) => value !== '');
  if (found !== undefined) return found;
  const subject = nameId(assertion);
  return attribute(subject, 'Format') === formats.email ? textOf(subject) : '';
}

/**
 * The claims that a mapping makes of an assertion.
 * Upstream: internal/api/samlassertion.go (Process).
 */
export function mapAttributes(assertion: XmlElement, mapping: AttributeMapping | null): JsonObject {
  const claims: Record<string, unknown> = {};
  for (const [key, rule] of Object.entries(mapping?.keys ?? {})) {
    const names = [...(rule.name ? [rule.name] : []), ...(rule.names ?? [])];
    const values = names
      .map((name) => attributeValues(assertion, name).filter((value) => value !== ''))
      .find((found) => found.length > 0);
    if (values !== undefined) claims[key] = rule.array === true ? values : values[0];
    else if (rule.default !== undefined && rule.default !== null) claims[key] = rule.default;
  }
  return claims;
}

/** When the provider wants the session to end, in epoch milliseconds; null when it does not say. */
export function sessionEndMs(assertion: XmlElement): number | null {
  const found = children(assertion, 'AuthnStatement')
    .map((statement) => Date.parse(attribute(statement, 'SessionNotOnOrAfter')))
    .find((time) => !Number.isNaN(time));
  return found ?? null;
}
