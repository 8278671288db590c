import { generateKeyPairSync } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { expect } from 'vitest';
import { samlCertificate } from '../../src/auth/sso/certificate.ts';
import { startAuth } from './auth.ts';
import { type AssertionCase, createIdentityProvider, type IdpKey } from './identity-provider.ts';

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const idpKey = (): IdpKey => {
  const key = rsa();
  return {
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: samlCertificate(key, 'idp.test', false).toString('base64'),
  };
};
const pkcs1 = (): string => rsa().export({ type: 'pkcs1', format: 'der' }).toString('base64');

/** The key of the identity providers of a file, and one that is not theirs: keys take long to make. */
export const [usualKey, otherKey] = [idpKey(), idpKey()];

/** Where the service of a SAML world takes responses, and what assertions for it are meant for. */
export const acsUrl = 'https://auth.example.com/auth/v1/sso/saml/acs';
export const audience = 'https://auth.example.com/auth/v1/sso/saml/metadata';

/** An assertion that lets somebody in. */
export const good = (email: string): AssertionCase => ({
  acsUrl,
  audience,
  nameId: email,
  attributes: { email: [email] },
});

/** What a browser was sent away with. */
export const fragmentOf = (url: URL) => Object.fromEntries(new URLSearchParams(url.hash.slice(1)));

/** A service with SAML, and the outside world as it sees it. */
export async function startSaml() {
  /** What addresses answer to what they are sent. */
  const served = new Map<string, (body: string) => Response | Promise<Response>>();
  const auth = await startAuth({
    env: {
      GOTRUE_SITE_URL: 'https://app.example.com',
      GOTRUE_URI_ALLOW_LIST: 'https://app.example.com/**',
      GOTRUE_SAML_ENABLED: 'true',
      GOTRUE_SAML_PRIVATE_KEY: pkcs1(),
      GOTRUE_SAML_PRIVATE_KEY_NEXT: pkcs1(),
      GOTRUE_SAML_ALLOW_ENCRYPTED_ASSERTIONS: 'true',
      GOTRUE_SAML_EXTERNAL_URL: 'https://auth.example.com/auth/v1',
      GOTRUE_MAILER_AUTOCONFIRM: 'false',
    },
    fetch: async (input, init) =>
      (await served.get(String(input))?.(String(init?.body ?? ''))) ?? new Response('', { status: 404 }),
  });
  const admin = (method: string, path: string, body?: unknown) =>
    auth.call(method, `/admin/sso/providers${path}`, { token: auth.serviceKey, ...(body ? { body } : {}) });
  let count = 0;
  return {
    auth,
    served,
    admin,
    /** Makes an identity provider known; yields it with the domain that it is responsible for. */
    async connect(more: object = {}) {
      const idp = createIdentityProvider(`https://idp${++count}.test/saml`, usualKey);
      const domain = `corp${count}.test`;
      const body = { type: 'saml', metadata_xml: idp.metadata, domains: [domain], ...more };
      const answer = await admin('POST', '', body);
      expect([answer.status, answer.json]).toMatchObject([201, { saml: { entity_id: idp.entityId } }]);
      return { idp, domain, id: answer.json.id as string };
    },
    /** Begins a sign-in. */
    async begin(body: object) {
      const answer = await auth.call('POST', '/sso', { body: { skip_http_redirect: true, ...body } });
      expect(answer.status).toBe(200);
      const url = new URL(answer.json.url);
      const encoded = url.searchParams.get('SAMLRequest') ?? '';
      const request = inflateRawSync(Buffer.from(encoded, 'base64')).toString();
      return {
        url,
        request,
        requestId: /\bID="([^"]+)"/.exec(request)?.[1] ?? '',
        relayState: url.searchParams.get('RelayState') ?? '',
      };
    },
    /** Brings what an identity provider has sent a browser with, and yields where it goes. */
    async bring(fields: Readonly<Record<string, string>>) {
      const { status, headers } = await auth.call('POST', '/sso/saml/acs', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      });
      return { status, headers, url: new URL(headers.get('location') ?? '') };
    },
  };
}
