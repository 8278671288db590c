import { createClient } from '@supabase/supabase-js';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { type AssertionCase, createIdentityProvider } from '../../support/identity-provider.ts';
import { pkceChallenge, pkceVerifier } from '../../support/pkce.ts';
import { acsUrl, fragmentOf, good, otherKey, startSaml, usualKey } from '../../support/saml.ts';

const { auth, connect, begin, bring } = await startSaml();
const post = (SAMLResponse: string, RelayState = '') => bring({ SAMLResponse, RelayState });

describe('a sign-in through an identity provider', () => {
  it('sends a signed request and lets the user in', async () => {
    const { idp, domain, id } = await connect({
      attribute_mapping: {
        keys: {
          name: { name: 'displayName' },
          groups: { name: 'groups', array: true },
          plan: { name: 'nothing', default: 'free' },
        },
      },
    });
    const { url, request, requestId, relayState } = await begin({ domain });
    expect(url.origin + url.pathname).toBe(`${idp.entityId}/sso`);
    expect([...url.searchParams.keys()]).toEqual(['SAMLRequest', 'RelayState', 'SigAlg', 'Signature']);
    expect(url.searchParams.get('SigAlg')).toBe('http://www.w3.org/2000/09/xmldsig#rsa-sha1');
    expect(request).toContain('urn:oasis:names:tc:SAML:2.0:nameid-format:persistent');
    expect(request).toContain(`AssertionConsumerServiceURL="${acsUrl}"`);
    const response = await idp.respond({
      ...good('ada@corp.test'),
      inResponseTo: requestId,
      attributes: { email: ['Ada@corp.test'], displayName: ['Ada'], groups: ['a', 'b'] },
      sessionEnd: new Date(Date.now() + 3_600_000),
    });
    const back = await post(response, relayState);
    expect([back.status, back.url.origin]).toEqual([302, 'https://app.example.com']);
    const { access_token = '' } = fragmentOf(back.url);
    expect(decodeJwt(access_token)).toMatchObject({
      email: 'ada@corp.test',
      amr: [{ method: 'sso/saml', provider: id }],
      app_metadata: { provider: `sso:${id}`, providers: [`sso:${id}`] },
      user_metadata: {
        iss: idp.entityId,
        sub: 'ada@corp.test',
        name: 'Ada',
        email: 'ada@corp.test',
        email_verified: true,
        phone_verified: false,
        custom_claims: { groups: ['a', 'b'], plan: 'free' },
      },
    });
    const rows = await auth.database.owner.query(sql`
      select u.is_sso_user, u.email_confirmed_at is not null as confirmed, s.not_after is not null as ends
      from auth.users u join auth.sessions s on s.user_id = u.id where u.email = 'ada@corp.test'`);
    expect(rows).toEqual([{ is_sso_user: true, confirmed: true, ends: true }]);
    const again = await post(response, relayState);
    expect([again.status, again.url.searchParams.get('error_code')]).toEqual([
      303,
      'saml_relay_state_not_found',
    ]);
  });

  it('ends in a code for supabase-js with PKCE', async () => {
    const { idp, id } = await connect();
    const { requestId, relayState } = await begin({
      provider_id: id,
      redirect_to: 'https://app.example.com/welcome',
      code_challenge: pkceChallenge(),
      code_challenge_method: 's256',
    });
    const back = await post(
      await idp.respond({ ...good('pkce@corp.test'), inResponseTo: requestId }),
      relayState,
    );
    expect(back.url.href).toMatch(/^https:\/\/app\.example\.com\/welcome\?code=[0-9a-f-]{36}$/);
    const answer = await auth.call('POST', '/token?grant_type=pkce', {
      body: { auth_code: back.url.searchParams.get('code'), code_verifier: pkceVerifier },
    });
    expect(answer.json.user.email).toBe('pkce@corp.test');
    // As upstream, the assertion begins a session of its own, beside that of the code.
    expect(back.headers.get('sb-auth-session-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.get('sb-auth-session-id')).not.toBe(back.headers.get('sb-auth-session-id'));
    expect(decodeJwt(answer.json.access_token)).toMatchObject({ amr: [{ method: 'sso/saml' }] });
  });

  it('is begun by supabase-js', async () => {
    const { idp, domain } = await connect();
    const client = createClient(auth.url, auth.anonKey, { auth: { persistSession: false } });
    const { data } = await client.auth.signInWithSSO({ domain });
    expect(data?.url).toMatch(new RegExp(`^${idp.entityId}/sso\\?SAMLRequest=`));
  });

  it('may be begun by the identity provider, which says where to go', async () => {
    const { idp } = await connect();
    const respond = () => idp.respond(good('idp@corp.test'));
    const plain = await post(await respond());
    expect(plain.url.origin).toBe('https://app.example.com');
    expect(decodeJwt(fragmentOf(plain.url).access_token ?? '')).toMatchObject({ email: 'idp@corp.test' });
    const aimed = await post(await respond(), 'https://app.example.com/there');
    expect(aimed.url.pathname).toBe('/there');
    const astray = await post(await respond(), 'https://evil.example.com/');
    expect(astray.url.origin).toBe('https://app.example.com');
  });

  it('knows the same user again, and keeps users of two providers apart', async () => {
    const [one, two] = [await connect(), await connect()];
    const signIn = async (idp: typeof one.idp) =>
      decodeJwt(fragmentOf((await post(await idp.respond(good('same@corp.test')))).url).access_token ?? '')
        .sub;
    const first = await signIn(one.idp);
    expect(await signIn(one.idp)).toBe(first);
    expect(await signIn(two.idp)).not.toBe(first);
  });

  it('takes a signed response, and an encrypted assertion for the key of today and of tomorrow', async () => {
    const { idp } = await connect();
    const whole = await post(await idp.respond({ ...good('whole@corp.test'), sign: 'response' }));
    expect(fragmentOf(whole.url)).toHaveProperty('access_token');
    const { text } = await auth.call('GET', '/sso/saml/metadata');
    const certificates = [...text.matchAll(/use="encryption"[\s\S]*?<X509Certificate[^>]*>([^<]+)</g)];
    expect(certificates).toHaveLength(2);
    for (const [index, [, certificate = '']] of certificates.entries()) {
      const email = `secret${index}@corp.test`;
      const back = await post(await idp.respond({ ...good(email), encryptFor: certificate }));
      expect(decodeJwt(fragmentOf(back.url).access_token ?? '')).toMatchObject({ email });
    }
  });
});

describe('an assertion', () => {
  const late = new Date(Date.now() - 600_000);
  it.each<[string, Partial<AssertionCase>]>([
    ['that nobody signed', { sign: 'nothing' }],
    ['that was changed on the way', { tamper: (xml) => xml.replaceAll('good@corp.test', 'root@corp.test') }],
    ['for somebody else', { audience: 'https://other.example.com' }],
    ['for another recipient', { recipient: 'https://other.example.com/acs' }],
    ['with another destination', { destination: 'https://other.example.com/acs' }],
    ['that is old', { issuedAt: late }],
    ['that is over', { issuedAt: new Date(Date.now() - 1000), expiresAt: late }],
    ['of a failed sign-in', { status: 'urn:oasis:names:tc:SAML:2.0:status:Responder' }],
    [
      'with a second one that nobody signed',
      {
        tamper: (xml) =>
          xml.replace(
            /<saml:Assertion [\s\S]*<\/saml:Assertion>/,
            (signed) =>
              signed
                .replace(/<ds:Signature|<Signature[\s\S]*<\/Signature>/, '')
                .replaceAll('good@', 'root@') + signed,
          ),
      },
    ],
  ])('%s is refused', async (_name, more) => {
    const { idp } = await connect();
    const back = await post(await idp.respond({ ...good('good@corp.test'), ...more }));
    expect(back.status).toBe(303);
    expect(Object.fromEntries(back.url.searchParams)).toEqual({
      error: 'invalid_request',
      error_code: 'validation_failed',
      error_description: 'SAML Assertion is not valid',
    });
  });

  it('that answers another request is refused', async () => {
    const { idp, id } = await connect();
    const one = await begin({ provider_id: id });
    const two = await begin({ provider_id: id });
    const back = await post(
      await idp.respond({ ...good('x@corp.test'), inResponseTo: one.requestId }),
      two.relayState,
    );
    expect(back.url.searchParams.get('error_description')).toBe('SAML Assertion is not valid');
  });

  it('of another key is refused', async () => {
    const { idp } = await connect();
    const impostor = createIdentityProvider(idp.entityId, otherKey);
    const back = await post(await impostor.respond(good('x@corp.test')));
    expect(back.url.searchParams.get('error_description')).toBe('SAML Assertion is not valid');
  });

  it.each<[string, string, Partial<AssertionCase>]>([
    [
      'without a lasting id',
      'saml_assertion_no_user_id',
      { nameIdFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' },
    ],
    ['without an address', 'saml_assertion_no_email', { attributes: {} }],
  ])('%s is refused', async (_name, code, more) => {
    const { idp } = await connect();
    const back = await post(await idp.respond({ ...good('good@corp.test'), ...more }));
    expect(back.url.searchParams.get('error_code')).toBe(code);
  });

  it('of an unknown provider, or none at all, is refused', async () => {
    const stranger = createIdentityProvider('https://stranger.test', usualKey);
    const unknown = await post(await stranger.respond(good('x@corp.test')));
    expect(unknown.url.searchParams.get('error_code')).toBe('saml_idp_not_found');
    expect((await post('')).url.searchParams.get('error_description')).toBe('SAMLResponse is missing');
    expect((await post('%')).url.searchParams.get('error_description')).toBe(
      'SAMLResponse is not a valid Base64 string',
    );
    expect((await post('YQ==')).url.searchParams.get('error_description')).toBe(
      'SAMLResponse is not a valid XML SAML assertion',
    );
    expect((await post('YQ==', 'not a url')).url.searchParams.get('error_description')).toBe(
      'SAML RelayState is not a valid UUID or URL',
    );
  });

  it('is too late after two minutes', async () => {
    const { idp, id } = await connect();
    const { requestId, relayState } = await begin({ provider_id: id });
    auth.clock.advance(121);
    const back = await post(
      await idp.respond({ ...good('late@corp.test'), inResponseTo: requestId }),
      relayState,
    );
    auth.clock.advance(-121);
    expect(back.url.searchParams.get('error_code')).toBe('saml_relay_state_expired');
  });
});

describe('POST /sso', () => {
  it.each([
    [{ domain: 'nobody.test' }, 404, 'sso_provider_not_found', 'No SSO provider assigned for this domain'],
    [
      { provider_id: '11111111-1111-4111-8111-111111111111' },
      404,
      'sso_provider_not_found',
      'No such SSO provider',
    ],
    [{}, 400, 'validation_failed', 'A provider_id or domain needs to be provided'],
    [
      { domain: 'a', provider_id: '11111111-1111-4111-8111-111111111111' },
      400,
      'validation_failed',
      'Only one of provider_id or domain supported',
    ],
  ])('%j is refused', async (body, status, code, msg) => {
    const answer = await auth.call('POST', '/sso', { body });
    expect([answer.status, answer.json.error_code, answer.json.msg]).toEqual([status, code, msg]);
  });

  it('redirects browsers with 303', async () => {
    const { domain, idp } = await connect();
    const answer = await auth.call('POST', '/sso', { body: { domain } });
    expect([answer.status, answer.headers.get('location')?.startsWith(idp.entityId)]).toEqual([303, true]);
  });
});
