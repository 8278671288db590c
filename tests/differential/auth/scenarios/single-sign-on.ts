import { generateKeyPairSync } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { samlCertificate } from '../../../../src/auth/sso/certificate.ts';
import { type AssertionCase, createIdentityProvider } from '../../../support/identity-provider.ts';
import type { Answer, Target } from '../target.ts';
import { challenge, type Scenario, verifier } from './scenario.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const identityProvider = createIdentityProvider('https://idp.corp.test/saml', {
  privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  certificate: samlCertificate(privateKey, 'idp.corp.test', false).toString('base64'),
});

/** Begins a sign-in; yields what the identity provider is sent. */
async function begin(target: Target, step: string, more: Readonly<Record<string, unknown>> = {}) {
  const body = { domain: 'corp.test', skip_http_redirect: true, ...more };
  const { json } = await target.ask(`begin ${step}`, 'POST', '/sso', { body });
  const url = new URL(json?.url ?? 'http://none/');
  const request = inflateRawSync(Buffer.from(url.searchParams.get('SAMLRequest') ?? '', 'base64')).toString();
  const id = / ID="([^"]+)"/.exec(request)?.[1] ?? '';
  return { id, relayState: url.searchParams.get('RelayState') ?? '' };
}

/** Comes back from the identity provider with an assertion. */
async function comeBack(
  target: Target,
  step: string,
  relayState: string,
  about: Partial<AssertionCase>,
): Promise<Answer> {
  const response = await identityProvider.respond({
    acsUrl: `${target.url}/sso/saml/acs`,
    audience: `${target.url}/sso/saml/metadata`,
    ...about,
  });
  return target.ask(`back: ${step}`, 'POST', '/sso/saml/acs', {
    body: new URLSearchParams({ SAMLResponse: response, RelayState: relayState }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
}

const person = (name: string): Partial<AssertionCase> => ({
  nameId: name,
  attributes: { email: [`${name}@corp.test`], groups: ['a', 'b'], name: ['N'] },
});

/** Sign-ins by assertions of an identity provider. */
export const singleSignOn: readonly Scenario[] = [
  {
    name: 'sign-in by single sign-on, finished',
    profiles: ['federation'],
    async run(target) {
      const attribute_mapping = {
        keys: { email: { name: 'email' }, groups: { name: 'groups', array: true }, name: { name: 'name' } },
      };
      const body = {
        type: 'saml',
        metadata_xml: identityProvider.metadata,
        domains: ['corp.test'],
        attribute_mapping,
      };
      await target.ask('make', 'POST', '/admin/sso/providers', { token: target.serviceKey, body });
      for (const step of ['a new user', 'the same again']) {
        const { id, relayState } = await begin(target, step);
        const { headers } = await comeBack(target, step, relayState, { ...person('Ann'), inResponseTo: id });
        const fragment = new URLSearchParams(
          new URL(headers.get('location') ?? 'http://none/').hash.slice(1),
        );
        await target.ask(`user: ${step}`, 'GET', '/user', { token: fragment.get('access_token') ?? '' });
        await comeBack(target, `${step}, by the same relay state`, relayState, person('Ann'));
      }
      const coded = await begin(target, 'with a challenge', challenge);
      const { headers } = await comeBack(target, 'with a challenge', coded.relayState, {
        ...person('Bob'),
        inResponseTo: coded.id,
      });
      const auth_code = new URL(headers.get('location') ?? 'http://none/').searchParams.get('code');
      await target.ask('exchange', 'POST', '/token?grant_type=pkce', {
        body: { auth_code, code_verifier: verifier },
      });
      await comeBack(target, 'without a request', '', person('Cyd'));
      await comeBack(target, 'to a page', 'https://app.example.com/there', person('Cyd'));
      await comeBack(target, 'to a page of others', 'https://evil.example.net/', person('Cyd'));
      const end = new Date(Date.now() + 600_000);
      await comeBack(target, 'for a while', '', { ...person('Dan'), sessionEnd: end });
      const anon = { nameId: 'Eve', attributes: {} };
      await comeBack(target, 'without an address', '', anon);
      const email = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
      await comeBack(target, 'by an address', '', { ...anon, nameId: 'Eve@corp.test', nameIdFormat: email });
      await comeBack(target, 'signed as a whole', '', { ...person('Fay'), sign: 'response' });
      await comeBack(target, 'to nowhere', 'no url', person('Cyd'));
    },
  },
];
