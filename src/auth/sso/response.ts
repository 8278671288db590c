import { attribute, child, children, textOf, type XmlElement } from './xml.ts';

/** What a response has to be about. */
export type ResponseCase = {
  readonly acsUrl: string;
  readonly entityId: string;
  /** The request that it answers; null for one that the identity provider sends by itself. */
  readonly requestId: string | null;
  readonly nowMs: number;
};

/** How old a response may be when it arrives, and how far clocks may differ. */
const maxDelayMs = 90_000;
const success = 'urn:oasis:names:tc:SAML:2.0:status:Success';

/** Milliseconds by which clocks of identity providers may differ from ours. */
export const maxClockSkewMs = 180_000;

const isTooOld = (element: XmlElement, nowMs: number): boolean => {
  const issued = Date.parse(attribute(element, 'IssueInstant'));
  return Number.isNaN(issued) || nowMs > issued + maxDelayMs;
};

/** What is wrong with the envelope of an assertion; null when nothing is. Upstream: crewjam/saml, as it is called. */
export function responseProblem(response: XmlElement, about: ResponseCase): string | null {
  const destination = attribute(response, 'Destination');
  const isSigned = child(response, 'Signature') !== null;
  if ((isSigned || destination !== '') && destination !== about.acsUrl)
    return 'the destination is not this service';
  if (about.requestId !== null && attribute(response, 'InResponseTo') !== about.requestId) {
    return 'it answers another request';
  }
  if (isTooOld(response, about.nowMs)) return 'the response is too old';
  const issuer = child(response, 'Issuer');
  if (issuer !== null && textOf(issuer) !== about.entityId) return 'the response is of another issuer';
  return statusProblem(response);
}

/** What is wrong with the answer to an artifact; null when nothing is. */
export function artifactProblem(
  answer: XmlElement,
  about: Omit<ResponseCase, 'acsUrl'> & { readonly requestId: string },
): string | null {
  if (attribute(answer, 'InResponseTo') !== about.requestId) return 'it answers another request';
  if (isTooOld(answer, about.nowMs)) return 'the answer to the artifact is too old';
  const issuer = child(answer, 'Issuer');
  if (issuer !== null && textOf(issuer) !== about.entityId)
    return 'the answer to the artifact is of another issuer';
  return statusProblem(answer);
}

function statusProblem(response: XmlElement): string | null {
  const status = attribute(child(child(response, 'Status'), 'StatusCode'), 'Value');
  return status === success ? null : `the identity provider answered ${status}`;
}

/** What is wrong with an assertion whose signature, audience and times are right; null when nothing is. */
export function assertionProblem(assertion: XmlElement, about: ResponseCase): string | null {
  if (isTooOld(assertion, about.nowMs)) return 'the assertion is too old';
  if (textOf(child(assertion, 'Issuer')) !== about.entityId) return 'the assertion is of another issuer';
  const confirmations = children(child(assertion, 'Subject'), 'SubjectConfirmation');
  for (const confirmation of confirmations) {
    const data = child(confirmation, 'SubjectConfirmationData');
    if (about.requestId !== null && attribute(data, 'InResponseTo') !== about.requestId) {
      return 'the assertion answers another request';
    }
    if (attribute(data, 'Recipient') !== about.acsUrl) return 'the assertion is for another recipient';
    const until = Date.parse(attribute(data, 'NotOnOrAfter'));
    if (Number.isNaN(until) || about.nowMs > until + maxClockSkewMs) return 'the confirmation is expired';
  }
  return null;
}
