import { describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { startAuth } from '../../support/auth.ts';
import { createIdentityProvider } from '../../support/identity-provider.ts';
import { acsUrl, audience, fragmentOf, good, otherKey, startSaml, usualKey } from '../../support/saml.ts';

const { auth, served, admin, connect, bring } = await startSaml();
const post = (SAMLResponse: string, RelayState = '') => bring({ SAMLResponse, RelayState });

const off = await startAuth();

describe('the provider admin', () => {
  it('shows, changes and removes a provider', async () => {
    const { idp, id, domain } = await connect({ resource_id: 'main', disabled: false });
    const shown = await admin('GET', `/${id}`);
    expect(shown.json).toEqual({
      id,
      resource_id: 'main',
      disabled: false,
      saml: { entity_id: idp.entityId, metadata_xml: idp.metadata, attribute_mapping: {} },
      domains: [{ domain }],
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
    });
    expect((await admin('GET', '/resource_main')).json.id).toBe(id);
    const list = await admin('GET', '?resource_id_prefix=ma');
    expect(list.json.items).toHaveLength(1);
    expect(list.json.items[0].saml).not.toHaveProperty('metadata_xml');
    const changed = await admin('PUT', `/${id}`, {
      domains: ['new.test'],
      disabled: true,
      attribute_mapping: { keys: { name: { names: ['a', 'b'] } } },
    });
    expect(changed.json).toMatchObject({
      disabled: true,
      domains: [{ domain: 'new.test' }],
      saml: { attribute_mapping: { keys: { name: { names: ['a', 'b'] } } } },
    });
    const refused = await auth.call('POST', '/sso', { body: { provider_id: id } });
    expect([refused.status, refused.json.error_code]).toEqual([404, 'sso_provider_disabled']);
    const removed = await admin('DELETE', `/${id}`);
    expect([removed.status, removed.json.id]).toEqual([200, id]);
    expect((await admin('GET', `/${id}`)).json.error_code).toBe('sso_provider_not_found');
  });

  it('refuses what is taken or of another provider', async () => {
    const [one, two] = [await connect(), await connect()];
    const again = await admin('POST', '', { type: 'saml', metadata_xml: one.idp.metadata });
    expect([again.status, again.json.error_code]).toEqual([422, 'saml_idp_already_exists']);
    const domain = await admin('PUT', `/${two.id}`, { domains: [one.domain] });
    expect([domain.status, domain.json.error_code]).toEqual([400, 'sso_domain_already_exists']);
    const other = await admin('PUT', `/${two.id}`, { metadata_xml: one.idp.metadata });
    expect([other.status, other.json.error_code]).toEqual([400, 'saml_entity_id_mismatch']);
  });

  it.each([
    [{ type: 'oidc' }, "Only 'saml' supported for SSO provider type"],
    [{ type: 'saml' }, 'Either metadata_xml or metadata_url must be set'],
    [{ type: 'saml', metadata_url: 'http://a.test' }, 'metadata_url is not a HTTPS URL'],
    [
      { type: 'saml', metadata_url: 'https://a.test', metadata_xml: '<a/>' },
      'Only one of metadata_xml or metadata_url needs to be set',
    ],
    [{ type: 'saml', metadata_xml: 'nonsense' }, 'SAML Metadata is not valid XML'],
    [{ type: 'saml', metadata_xml: '<!DOCTYPE a [<!ENTITY b "c">]><a/>' }, 'SAML Metadata is not valid XML'],
    [{ type: 'saml', metadata_xml: '<EntityDescriptor/>' }, 'SAML Metadata does not contain an EntityID'],
    [
      { type: 'saml', metadata_xml: '<EntityDescriptor entityID="a"/>' },
      'SAML Metadata does not contain any IDPSSODescriptor',
    ],
  ])('refuses %j', async (body, msg) => {
    const answer = await admin('POST', '', body);
    expect([answer.status, answer.json.error_code, answer.json.msg]).toEqual([400, 'validation_failed', msg]);
  });

  it('takes metadata from a URL, and fetches it again when a day is over', async () => {
    const url = 'https://rotating.test/metadata';
    const before = createIdentityProvider('https://rotating.test/saml', usualKey);
    const after = createIdentityProvider('https://rotating.test/saml', otherKey);
    served.set(url, () => new Response(before.metadata));
    const made = await admin('POST', '', { type: 'saml', metadata_url: url });
    expect(made.json.saml).toMatchObject({ metadata_url: url, metadata_xml: before.metadata });
    served.set(url, () => new Response(after.metadata));
    const early = await post(await after.respond(good('rotated@corp.test')));
    expect(early.url.searchParams.get('error_description')).toBe('SAML Assertion is not valid');
    await auth.database.owner.query(sql`
      update auth.saml_providers set updated_at = now() - interval '25 hours' where metadata_url = ${url}`);
    const late = await post(await after.respond(good('rotated@corp.test')));
    expect(fragmentOf(late.url)).toHaveProperty('access_token');
  });

  it('tells when metadata cannot be had', async () => {
    served.set('https://broken.test/', () => new Response('', { status: 500 }));
    const answer = await admin('POST', '', { type: 'saml', metadata_url: 'https://broken.test/' });
    expect([answer.status, answer.json]).toMatchObject([
      400,
      {
        error_code: 'saml_metadata_fetch_failed',
        msg: "HTTP 500 error fetching SAML Metadata from URL 'https://broken.test/'",
      },
    ]);
  });
});

describe('SCIM', () => {
  it.each(['GET', 'POST', 'PATCH'])('is answered as disabled: %s', async (method) => {
    const answer = await off.call(method, '/scim/v2/Users');
    expect([answer.status, answer.json]).toMatchObject([
      404,
      { error_code: 'feature_disabled', msg: 'SCIM server is disabled' },
    ]);
  });
});

describe('the metadata of the service', () => {
  it('names its addresses and keys', async () => {
    const answer = await auth.call('GET', '/sso/saml/metadata?download=true');
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/xml',
      'cache-control': 'public, max-age=60',
      'content-disposition': 'attachment; filename="metadata.xml"',
    });
    expect(answer.text).toContain(`entityID="${audience}"`);
    expect(answer.text).toContain(`Location="${acsUrl}" index="1"`);
  });

  it.each([
    ['POST', '/sso'],
    ['GET', '/sso/saml/metadata'],
    ['POST', '/sso/saml/acs'],
  ])('is not there while SAML is off: %s %s', async (method, path) => {
    const answer = await off.call(method, path, method === 'POST' ? { body: {} } : {});
    expect([answer.status, answer.json.error_code]).toEqual([404, 'saml_provider_disabled']);
  });
});
