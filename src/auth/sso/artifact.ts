import type { AuthContext } from '../context.ts';
import type { IdentityProvider } from './identity-provider.ts';
import { artifactProblem } from './response.ts';
import type { ServiceProvider } from './service-provider.ts';
import { child, parseXml } from './xml.ts';
import { extractResponse, signArtifactResolve } from './xml-signatures.ts';

const timeoutMs = 10_000;
const maxBytes = 2 * 1024 * 1024;
/** Artifacts are 44 bytes in Base64; others may come to be. */
const artifactShape = /^[A-Za-z0-9+/=]{1,1024}$/;

/**
 * Asks an identity provider for the response that a browser brought an artifact of, and yields it as browsers post it.
 * It still has to be verified: what is asked for comes from the provider's own address, but its signature is what
 * counts. Rejects with an `Error` that says what is wrong.
 *
 * Upstream: crewjam/saml, service_provider.go (handleArtifactRequest).
 */
export async function resolveArtifact(
  context: Pick<AuthContext, 'clock' | 'fetch' | 'random'>,
  provider: ServiceProvider,
  idp: IdentityProvider,
  artifact: string,
): Promise<string> {
  if (idp.artifactUrl === '') throw new Error('the metadata has no address for artifacts');
  if (!artifactShape.test(artifact)) throw new Error('the artifact is not Base64');
  const id = `id-${context.random.bytes(20).toString('hex')}`;
  const nowMs = context.clock.now();
  const request = resolveXml({ id, issuer: provider.entityId, artifact, nowMs });
  const xml = await ask(context, idp.artifactUrl, await signArtifactResolve(request, provider.key));
  const body = child(child(await parseXml(xml), 'Envelope'), 'Body');
  const answer = child(body, 'ArtifactResponse');
  if (answer === null) throw new Error('there is no response to the artifact');
  const problem = artifactProblem(answer, { entityId: idp.entityId, requestId: id, nowMs });
  if (problem !== null) throw new Error(problem);
  return Buffer.from(await extractResponse(xml, idp.certificates)).toString('base64');
}

type Resolve = {
  readonly id: string;
  readonly issuer: string;
  readonly artifact: string;
  readonly nowMs: number;
};

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escapeText = (text: string): string => text.replace(/[&<>]/g, (character) => escapes[character] ?? '');

function resolveXml({ id, issuer, artifact, nowMs }: Resolve): string {
  const issued = new Date(nowMs).toISOString();
  return (
    '<samlp:ArtifactResolve xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"' +
    ` xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" Version="2.0" IssueInstant="${issued}">` +
    `<saml:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">${escapeText(issuer)}</saml:Issuer>` +
    `<samlp:Artifact>${artifact}</samlp:Artifact></samlp:ArtifactResolve>`
  );
}

const envelope = (content: string): string =>
  '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">' +
  `<soapenv:Body>${content}</soapenv:Body></soapenv:Envelope>`;

async function ask({ fetch }: Pick<AuthContext, 'fetch'>, url: string, content: string): Promise<string> {
  const reply = await fetch(url, {
    method: 'POST',
    signal: AbortSignal.timeout(timeoutMs),
    headers: { 'content-type': 'text/xml' },
    body: envelope(content),
  });
  const text = await reply.text();
  if (reply.status !== 200) throw new Error(`the identity provider answered HTTP ${reply.status}`);
  if (text.length > maxBytes) throw new Error('the response to the artifact is too large');
  return text;
}
