import { generateKeyPairSync } from 'node:crypto';
import { samlCertificate } from '../../../../src/auth/sso/certificate.ts';
import { createIdentityProvider } from '../../../support/identity-provider.ts';
import type { Ask, Target } from '../target.ts';
import { challenge, newVersion, noId, type Scenario } from './scenario.ts';

const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const idp = (entityId: string) =>
  createIdentityProvider(entityId, {
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: samlCertificate(key, 'idp.test', false).toString('base64'),
  });
const metadata = (entityId: string): string => idp(entityId).metadata;

const asAdmin =
  (target: Target, base: string) =>
  (step: string, method: string, path = '', body?: unknown) =>
    target.ask(step, method, base + path, {
      token: target.serviceKey,
      ...(body === undefined ? {} : { body }),
    });

const descriptor = '<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">';

/** Connections that are none, each with its own refusal. */
const badConnections: readonly (readonly [step: string, body: unknown])[] = [
  ['nothing', {}],
  ['another type', { type: 'oidc' }],
  ['no metadata', { type: 'saml' }],
  ['both metadata', { type: 'saml', metadata_xml: '<x/>', metadata_url: 'https://idp.test/m' }],
  ['a bad URL', { type: 'saml', metadata_url: 'nonsense' }],
  ['a URL with blanks', { type: 'saml', metadata_url: 'https://idp .test/' }],
  ['a plain URL', { type: 'saml', metadata_url: 'http://idp.test/m' }],
  ['a name id format', { type: 'saml', metadata_xml: metadata('https://n.test'), name_id_format: 'x' }],
  [
    'no entity',
    {
      type: 'saml',
      metadata_xml: `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">${descriptor}</IDPSSODescriptor></EntityDescriptor>`,
    },
  ],
  [
    'no descriptor',
    {
      type: 'saml',
      metadata_xml:
        '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://e.test"></EntityDescriptor>',
    },
  ],
  [
    'two descriptors',
    {
      type: 'saml',
      metadata_xml: `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://e.test">${descriptor}</IDPSSODescriptor>${descriptor}</IDPSSODescriptor></EntityDescriptor>`,
    },
  ],
  ['domains of another type', { type: 'saml', metadata_xml: metadata('https://d.test'), domains: 'x' }],
  [
    'a mapping of another type',
    { type: 'saml', metadata_xml: metadata('https://d.test'), attribute_mapping: 'x' },
  ],
  ['a switch of another type', { type: 'saml', metadata_xml: metadata('https://d.test'), disabled: 'yes' }],
  ['a resource of another type', { type: 'saml', metadata_xml: metadata('https://d.test'), resource_id: 5 }],
];

const provider = {
  provider_type: 'oauth2',
  identifier: 'custom:shop',
  name: 'Shop',
  client_id: 'client',
  client_secret: 'secret',
  authorization_url: 'https://203.0.113.8/authorize',
  token_url: 'https://203.0.113.8/token',
  userinfo_url: 'https://203.0.113.8/me',
};

/** Members of a custom provider that will not do, one at a time. */
const badMembers: readonly Readonly<Record<string, unknown>>[] = [
  { provider_type: '' },
  { provider_type: 'x' },
  { provider_type: 5 },
  { identifier: '' },
  { identifier: 'shop' },
  { identifier: 'custom:' },
  { identifier: 'custom:Shop!' },
  { identifier: `custom:${'x'.repeat(100)}` },
  { identifier: 'github' },
  { name: '' },
  { name: 'x'.repeat(300) },
  { client_id: '' },
  { client_secret: '' },
  { authorization_url: '' },
  { authorization_url: 'nonsense' },
  { authorization_url: 'http://shop.test/authorize' },
  { authorization_url: 'https://127.0.0.1/authorize' },
  { authorization_url: 'https://10.0.0.1/authorize' },
  { authorization_url: 'https://localhost/authorize' },
  { token_url: '' },
  { token_url: 'nonsense' },
  { userinfo_url: '' },
  { userinfo_url: 'ftp://203.0.113.8/me' },
  { jwks_uri: 'nonsense' },
  { scopes: 'x' },
  { scopes: ['a', 'b'] },
  { pkce_enabled: 'yes' },
  { attribute_mapping: 'x' },
  { attribute_mapping: { email: 5 } },
  { authorization_params: 'x' },
  { authorization_params: { client_id: 'x' } },
  { authorization_params: { state: 'x' } },
  { acceptable_client_ids: 'x' },
  { acceptable_client_ids: ['a'] },
  { email_optional: 'x' },
  { enabled: false },
  { issuer: 'https://203.0.113.9' },
];

/** Single sign-on, and providers that a project makes itself. */
export const federation: readonly Scenario[] = [
  {
    name: 'connections for single sign-on',
    profiles: ['federation', 'closed'],
    async run(target) {
      const admin = asAdmin(target, '/admin/sso/providers');
      await admin('list of none', 'GET');
      for (const [step, body] of badConnections) await admin(`make: ${step}`, 'POST', '', body);
      await admin('make: no JSON', 'POST', '', '{');
      const body = {
        type: 'saml',
        metadata_xml: metadata('https://one.test'),
        domains: ['one.test', 'uno.test'],
      };
      const made = (await admin('make', 'POST', '', body)).json;
      await admin('make again', 'POST', '', body);
      await admin('make with a taken domain', 'POST', '', {
        ...body,
        metadata_xml: metadata('https://two.test'),
      });
      const bare = (
        await admin('make without domains', 'POST', '', {
          type: 'saml',
          metadata_xml: metadata('https://three.test'),
          resource_id: 'three',
          disabled: true,
          attribute_mapping: {
            keys: { name: { name: 'n', default: 'x' }, all: { names: ['a', 'b'], array: true } },
          },
          name_id_format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
        })
      ).json;
      await admin('list', 'GET');
      for (const query of [
        '?resource_id=three',
        '?resource_id=x',
        '?resource_id_prefix=th',
        '?resource_id_prefix=',
      ]) {
        await admin(`list ${query}`, 'GET', query);
      }
      for (const id of [made?.id, bare?.id, 'resource_three', 'resource_x', noId, 'x']) {
        const shown = id === made?.id ? 'one' : id === bare?.id ? 'three' : id;
        await admin(`get ${shown}`, 'GET', `/${id}`);
        await admin(`put nothing ${shown}`, 'PUT', `/${id}`, {});
      }
      const put = (step: string, change: unknown) => admin(`put ${step}`, 'PUT', `/${made?.id}`, change);
      await put('domains', { domains: ['uno.test', 'eins.test'] });
      await put('no domains', { domains: [] });
      await put('domain of nobody', { domains: ['one.test'] });
      await put('another entity', { metadata_xml: metadata('https://other.test') });
      await put('both metadata', { metadata_xml: '<x/>', metadata_url: 'https://idp.test/m' });
      await put('a mapping', { attribute_mapping: { keys: { mail: { name: 'm' } } } });
      await put('a name', { resource_id: 'one' });
      await put('a taken name', { resource_id: 'three' });
      await put('a switch', { disabled: true });
      await put('a switch back', { disabled: false });
      await put('a bad format', { name_id_format: 'x' });
      await admin('patch', 'PATCH', `/${made?.id}`, {});
      await admin('delete', 'DELETE', `/${made?.id}`);
      await admin('delete again', 'DELETE', `/${made?.id}`);
      await admin('below', 'GET', `/${bare?.id}/nonsense`);
    },
  },
  {
    name: 'sign-in by single sign-on, begun',
    profiles: ['federation', 'closed'],
    async run(target) {
      const admin = asAdmin(target, '/admin/sso/providers');
      const one = (
        await admin('make', 'POST', '', {
          type: 'saml',
          metadata_xml: metadata('https://one.test'),
          domains: ['one.test'],
        })
      ).json;
      const two = (
        await admin('make disabled', 'POST', '', {
          type: 'saml',
          metadata_xml: metadata('https://two.test'),
          domains: ['two.test'],
          disabled: true,
        })
      ).json;
      const begin = (step: string, body: unknown, ask: Ask = {}) =>
        target.ask(`begin ${step}`, 'POST', '/sso', { body, ...ask });
      await begin('nothing', {});
      await begin('no JSON', '{');
      await begin('both', { domain: 'one.test', provider_id: one?.id });
      await begin('no uuid', { provider_id: 'x' });
      await begin('unknown id', { provider_id: noId });
      await begin('unknown domain', { domain: 'nowhere.test' });
      await begin('another type', { domain: 5 });
      await begin('disabled', { domain: 'two.test' });
      await begin('disabled by id', { provider_id: two?.id });
      await begin('half a challenge', { domain: 'one.test', code_challenge: challenge.code_challenge });
      await begin('another method', {
        domain: 'one.test',
        code_challenge: challenge.code_challenge,
        code_challenge_method: 'x',
      });
      await begin('new version', { domain: 'nowhere.test' }, { headers: newVersion });
      const acs = (step: string, form: Record<string, string>) =>
        target.ask(`acs ${step}`, 'POST', '/sso/saml/acs', {
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams(form).toString(),
        });
      await acs('nothing', {});
      await acs('no base64', { SAMLResponse: '!' });
      await acs('no XML', { SAMLResponse: Buffer.from('nonsense').toString('base64') });
      await acs('no response', { SAMLResponse: Buffer.from('<x/>').toString('base64') });
      await acs('a state that is none', { SAMLResponse: 'PHg+', RelayState: 'x' });
      await acs('an unknown state', { SAMLResponse: 'PHg+', RelayState: noId });
      await acs('a URL', { SAMLResponse: 'PHg+', RelayState: 'https://app.example.com/x' });
      for (const [method, path] of [
        ['GET', '/sso'],
        ['PUT', '/sso'],
        ['GET', '/sso/saml'],
        ['POST', '/sso/saml/metadata'],
        ['GET', '/sso/saml/acs'],
        ['GET', '/sso/nonsense'],
      ] as const) {
        await target.ask(`${method} ${path}`, method, path);
      }
    },
  },
  {
    name: 'custom providers',
    profiles: ['federation', 'closed'],
    async run(target) {
      const admin = asAdmin(target, '/admin/custom-providers');
      await admin('list of none', 'GET');
      await admin('no JSON', 'POST', '', '{');
      await admin('nothing', 'POST', '', {});
      for (const [i, member] of badMembers.entries()) {
        const identifier = `custom:n${i}`;
        await admin(`make ${JSON.stringify(member)}`, 'POST', '', { ...provider, identifier, ...member });
      }
      for (const name of Object.keys(provider)) {
        const { [name as keyof typeof provider]: _, ...rest } = {
          ...provider,
          identifier: `custom:w${name.replaceAll('_', '')}`,
        };
        await admin(`make without ${name}`, 'POST', '', rest);
      }
      await admin('make', 'POST', '', provider);
      await admin('make again', 'POST', '', provider);
      for (const query of ['', '?type=oauth2', '?type=oidc', '?type=x'])
        await admin(`list ${query}`, 'GET', query);
      for (const id of ['custom:shop', 'custom%3Ashop', 'shop', 'custom:none']) {
        await admin(`get ${id}`, 'GET', `/${id}`);
        await admin(`put nothing ${id}`, 'PUT', `/${id}`, {});
      }
      const put = (change: unknown) => admin(`put ${JSON.stringify(change)}`, 'PUT', '/custom:shop', change);
      for (const change of [
        { name: 'Renamed' },
        { name: '' },
        { client_secret: 'another' },
        { identifier: 'custom:else' },
        { provider_type: 'oidc' },
        { scopes: ['x'] },
        { authorization_url: 'http://x.test' },
        { token_url: 'nonsense' },
        { enabled: false },
        { pkce_enabled: false },
        { attribute_mapping: { email: 'mail' } },
        { authorization_params: { prompt: 'login' } },
        { authorization_params: { redirect_uri: 'x' } },
      ]) {
        await put(change);
      }
      await target.ask('sign in while off', 'GET', '/authorize?provider=custom:shop');
      await put({ enabled: true });
      await target.ask('sign in', 'GET', '/authorize?provider=custom:shop&scopes=more');
      await target.ask('sign in elsewhere', 'GET', '/authorize?provider=custom:none');
      await admin('patch', 'PATCH', '/custom:shop', {});
      await admin('delete', 'DELETE', '/custom:shop');
      await admin('delete again', 'DELETE', '/custom:shop');
    },
  },
  {
    name: 'users by cursor',
    profiles: ['federation'],
    async run(target) {
      const admin = asAdmin(target, '/admin/users');
      for (let i = 1; i <= 5; i++) await admin(`make ${i}`, 'POST', '', { email: `user${i}@example.com` });
      for (const query of [
        '',
        '?page=1',
        '?per_page=2',
        '?limit=10',
        '?limit=0',
        '?limit=x',
        '?limit=-1',
        '?limit=5000',
        '?limit=5&filter=user1',
        '?limit=5&sort=created_at asc',
        '?limit=5&sort=email asc',
        '?cursor=!',
        '?cursor=eA',
        '?cursor=e30',
        '?cursor=eyJpZCI6IngifQ',
        `?cursor=${Buffer.from(JSON.stringify({ id: noId })).toString('base64url')}`,
        `?cursor=${Buffer.from(JSON.stringify({ id: noId, created_at: 'x' })).toString('base64url')}`,
      ]) {
        await admin(`list ${query}`, 'GET', query);
      }
      let cursor = '';
      for (let part = 1; part <= 3; part++) {
        const { json } = await admin(`part ${part}`, 'GET', `?limit=2${cursor}`);
        cursor = `&cursor=${json?.pagination?.next_cursor}`;
      }
    },
  },
  {
    name: 'bodies that are too large, and documents of the service',
    profiles: ['federation', 'closed'],
    async run(target) {
      const large = JSON.stringify({ email: 'x@example.com', data: { much: 'x'.repeat(1_100_000) } });
      for (const path of [
        '/signup',
        '/otp',
        '/token?grant_type=password',
        '/verify',
        '/sso',
        '/oauth/token',
      ]) {
        await target.ask(`large ${path}`, 'POST', path, { body: large });
      }
      await target.ask('large, as an admin', 'POST', '/admin/users', {
        token: target.serviceKey,
        body: large,
      });
      for (const path of [
        '/.well-known/jwks.json',
        '/.well-known/openid-configuration',
        '/.well-known/oauth-authorization-server',
        '/scim/v2/ServiceProviderConfig',
        '/scim/v2/ResourceTypes',
        '/scim/v2/Schemas',
        '/scim/v2/Users',
        '/scim/v2',
        '/settings',
      ]) {
        for (const method of ['GET', 'POST']) await target.ask(`${method} ${path}`, method, path);
      }
    },
  },
];
