import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { SignedXml } from 'xml-crypto';
import {
  type ArtifactCase,
  type AssertionCase,
  createIdentityProvider,
} from '../../support/identity-provider.ts';
import { fragmentOf, good, otherKey, startSaml } from '../../support/saml.ts';

/*
 * A browser may bring an artifact instead of a response; the service asks the identity provider what it stands for.
 */
const { served, connect, begin, bring, auth } = await startSaml();
const artifact = Buffer.from('an artifact of forty-four bytes, or nearly..').toString('base64');
const questions: string[] = [];

/** Signs in by an artifact that stands for such a response, in such an answer. */
async function signIn(
  answer: Partial<ArtifactCase> = {},
  response: Partial<AssertionCase> = {},
  key?: typeof otherKey,
) {
  const known = await connect();
  const { requestId, relayState } = await begin({ domain: known.domain });
  const idp = key === undefined ? known.idp : createIdentityProvider(known.idp.entityId, key);
  served.set(`${idp.entityId}/artifacts`, async (question) => {
    questions.push(question);
    const about = {
      response: await idp.respond({ ...good('ada@corp.test'), inResponseTo: requestId, ...response }),
      inResponseTo: /\bID="([^"]+)"/.exec(question)?.[1] ?? '',
      ...answer,
    };
    return new Response(idp.answerArtifact(about));
  });
  return bring({ SAMLart: artifact, RelayState: relayState });
}

/** What a refused browser is told. */
const told = ({ url }: Awaited<ReturnType<typeof bring>>) => url.searchParams.get('error_description');
const refusal = 'SAML Assertion is not valid';
/** What the operator is told of the last refusal. */
const reasonOf = (): string | null => {
  const last = auth.observed.findLast(({ kind }) => kind === 'fault');
  return last?.kind === 'fault' && last.error instanceof Error ? last.error.message : null;
};

describe('an artifact', () => {
  it('signs in who its response names, once the identity provider was asked for it', async () => {
    const { url } = await signIn();
    expect(decodeJwt(fragmentOf(url).access_token ?? '')).toMatchObject({ email: 'ada@corp.test' });
    const question = questions.at(-1) ?? '';
    expect(question).toContain(`<samlp:Artifact>${artifact}</samlp:Artifact>`);
    expect(question).toContain('>https://auth.example.com/auth/v1/sso/saml/metadata</saml:Issuer>');
    expect(question).toMatch(/^<soapenv:Envelope [^>]+><soapenv:Body><samlp:ArtifactResolve /);
  });

  it('is asked for with a signature of the service', async () => {
    await signIn();
    const question =
      /<samlp:ArtifactResolve.*<\/samlp:ArtifactResolve>/s.exec(questions.at(-1) ?? '')?.[0] ?? '';
    const metadata = await auth.call('GET', '/sso/saml/metadata');
    const certificate = /<X509Certificate[^>]*>([^<]+)</.exec(metadata.text)?.[1] ?? '';
    const check = new SignedXml({
      publicCert: `-----BEGIN CERTIFICATE-----\n${certificate.replace(/\s/g, '').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----`,
    });
    check.loadSignature(/<(\w+:)?Signature.*<\/(\w+:)?Signature>/s.exec(question)?.[0] ?? '');
    expect(check.checkSignature(question)).toBe(true);
    expect(check.checkSignature(question.replace(artifact, 'AAAA'))).toBe(false);
  });

  it.each<[string, Partial<ArtifactCase>, Partial<AssertionCase>]>([
    ['in a signed answer', { isSigned: true }, {}],
    ['of a signed response', {}, { sign: 'response' }],
  ])('may stand for a response %s', async (_case, answer, response) => {
    expect(fragmentOf((await signIn(answer, response)).url)).toHaveProperty('access_token');
  });

  it.each<[string, string, Partial<ArtifactCase>, Partial<AssertionCase>]>([
    ['an unsigned response', 'Invalid signature', {}, { sign: 'nothing' }],
    ['an unsigned response in a signed answer', 'Invalid signature', { isSigned: true }, { sign: 'nothing' }],
    [
      'a response that was changed',
      'Invalid signature',
      {},
      { tamper: (xml) => xml.replaceAll('ada@', 'eve@') },
    ],
    [
      'a response in an answer that was changed after it was signed',
      'the signature of the answer to the artifact is wrong',
      { isSigned: true, tamper: (xml) => xml.replace('InResponseTo="', 'Consent="x" InResponseTo="') },
      {},
    ],
    ['a response to another request', 'it answers another request', {}, { inResponseTo: 'id-other' }],
    ['an answer to another question', 'it answers another request', { inResponseTo: 'id-other' }, {}],
    [
      'an answer of another issuer',
      'the answer to the artifact is of another issuer',
      { issuer: 'https://elsewhere.test' },
      {},
    ],
    [
      'an answer of some minutes ago',
      'the answer to the artifact is too old',
      { issuedAt: new Date(Date.now() - 120_000) },
      {},
    ],
    ['a refusal', 'the identity provider answered urn:refused', { status: 'urn:refused' }, {}],
    ['no response', 'the artifact stands for no response', { response: '' }, {}],
    [
      'two responses',
      'the artifact stands for no response',
      { tamper: (xml) => xml.replace(/<samlp:Response.*<\/samlp:Response>/s, (one) => one + one) },
      {},
    ],
    [
      'a document type',
      'documents with a type declaration are refused',
      { tamper: (xml) => `<!DOCTYPE x [<!ENTITY e "e">]>${xml}` },
      {},
    ],
  ])('is refused that stands for %s', async (_case, reason, answer, response) => {
    const brought = await signIn(answer, response);
    expect([told(brought), reasonOf()]).toEqual([refusal, reason]);
    expect(brought.url.hash).not.toContain('access_token');
  });

  it('is refused whose response is signed by another key', async () => {
    expect([told(await signIn({}, {}, otherKey)), reasonOf()]).toEqual([refusal, 'Invalid signature']);
  });

  it.each([
    ['that is none', '<x/>'],
    ['with markup', `${artifact}</samlp:Artifact>`],
  ])('%s is not asked for', async (_case, text) => {
    const before = questions.length;
    const { domain } = await connect();
    const { relayState } = await begin({ domain });
    const brought = await bring({ SAMLart: text, RelayState: relayState });
    expect([told(brought), reasonOf()]).toEqual([refusal, 'the artifact is not Base64']);
    expect(questions).toHaveLength(before);
  });

  it.each<[string, string, () => Response]>([
    ['refuses', 'the identity provider answered HTTP 500', () => new Response('', { status: 500 })],
    ['talks of something else', 'there is no response to the artifact', () => new Response('<html></html>')],
    ['talks no XML', 'not well-formed XML', () => new Response('no')],
    [
      'talks too much',
      'the response to the artifact is too large',
      () => new Response('x'.repeat(3 * 1024 * 1024)),
    ],
    [
      'is not there',
      'fetch failed',
      () => {
        throw new TypeError('fetch failed');
      },
    ],
  ])('is refused when the identity provider %s', async (_case, reason, answer) => {
    const { idp, domain } = await connect();
    const { relayState } = await begin({ domain });
    served.set(`${idp.entityId}/artifacts`, answer);
    const brought = await bring({ SAMLart: artifact, RelayState: relayState });
    expect([told(brought), reasonOf()]).toEqual([refusal, reason]);
  });

  it('needs a sign-in that began here', async () => {
    expect(told(await bring({ SAMLart: artifact, RelayState: '' }))).toBe(
      'SAML Artifact response can only be used with SP initiated flow',
    );
  });
});
