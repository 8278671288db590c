import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { copyProject, type RunningInstance, startInstance } from '../support/cli.ts';
import { until } from '../support/until.ts';

/*
 * A project whose users sign in elsewhere: an issuer on the loopback interface, named in config.toml, and apps that
 * hand its tokens to supabase-js.
 */
const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
const stranger = await generateKeyPair('RS256', { extractable: true });
const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  const isDiscovery = request.url === '/.well-known/openid-configuration';
  response.end(JSON.stringify(isDiscovery ? { issuer, jwks_uri: `${issuer}/jwks` } : { keys: [jwk] }));
});
let issuer = '';
let project: Awaited<ReturnType<typeof copyProject>>;
let instance: RunningInstance;
const clients: SupabaseClient[] = [];

type TokenOptions = { readonly iss?: string; readonly key?: typeof privateKey; readonly claims?: object };
const tokenOf = (sub: string, { iss = issuer, key = privateKey, claims = {} }: TokenOptions = {}) =>
  new SignJWT({ role: 'authenticated', sub, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setIssuer(iss)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(key);

function clientWith(token: Promise<string>): SupabaseClient {
  const client = createClient(instance.url, instance.env.ANON_KEY ?? '', {
    accessToken: () => token,
    realtime: { transport: WebSocket as never },
  });
  clients.push(client);
  return client;
}

/** A channel that is joined before the client has asked for its token is joined without. */
async function withToken(client: SupabaseClient): Promise<SupabaseClient> {
  await client.realtime.setAuth();
  return client;
}

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  project = await copyProject('third-party');
  instance = await startInstance(project.dir, [], {
    ISSUER_URL: issuer,
    // On a busy machine a check of row security may outlast the usual limit, after which the change is hidden.
    OWNBASE_REALTIME_VISIBILITY_TIMEOUT: '15s',
  });
});

afterAll(async () => {
  await Promise.all(clients.map((client) => client.removeAllChannels()));
  server.close();
  expect(await instance.stop()).toBe(0);
  await project.remove();
});

describe('a user of an issuer outside', () => {
  it('reads and writes its own rows, and no others', async () => {
    const [ann, bob] = [clientWith(tokenOf('user_ann')), clientWith(tokenOf('user_bob'))];
    const made = await ann.from('notes').insert({ body: 'mine' }).select().single();
    expect([made.error, made.data?.owner]).toEqual([null, 'user_ann']);
    expect((await ann.from('notes').select('body')).data).toEqual([{ body: 'mine' }]);
    expect((await bob.from('notes').select('body')).data).toEqual([]);
    const forged = await bob.from('notes').insert({ body: 'x', owner: 'user_ann' });
    expect(forged.error?.code).toBe('42501');
  });

  it('keeps its own files', async () => {
    const [ann, bob] = [clientWith(tokenOf('user_ann')), clientWith(tokenOf('user_bob'))];
    const files = ann.storage.from('files');
    expect((await files.upload('user_ann/a.txt', 'hello')).error).toBeNull();
    expect(await (await files.download('user_ann/a.txt')).data?.text()).toBe('hello');
    expect((await bob.storage.from('files').download('user_ann/a.txt')).error).not.toBeNull();
    expect((await bob.storage.from('files').upload('user_ann/b.txt', 'x')).error).not.toBeNull();
  });

  it('sees its own rows change', async ({ onTestFailed }) => {
    onTestFailed(() => void process.stderr.write(instance.output()));
    const [ann, bob] = [clientWith(tokenOf('live_ann')), clientWith(tokenOf('live_bob'))];
    const seen = { ann: [] as string[], bob: [] as string[] };
    const watch = async (client: SupabaseClient, name: 'ann' | 'bob') => {
      let isReady = false;
      (await withToken(client))
        .channel(`notes of ${name}`)
        .on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'notes' }, (change) => {
          seen[name].push(String(change.new.body));
        })
        .on('system', {}, ({ status }) => {
          isReady ||= status === 'ok';
        })
        .subscribe();
      await until(() => isReady);
    };
    await Promise.all([watch(ann, 'ann'), watch(bob, 'bob')]);
    expect((await ann.from('notes').insert({ body: 'of ann' })).error).toBeNull();
    expect((await bob.from('notes').insert({ body: 'of bob' })).error).toBeNull();
    await until(() => seen.ann.length > 0 && seen.bob.length > 0);
    expect(seen).toEqual({ ann: ['of ann'], bob: ['of bob'] });
  });

  it('is nobody to the auth service, whose users are its own', async () => {
    const reply = await fetch(`${instance.url}/auth/v1/user`, {
      headers: { authorization: `Bearer ${await tokenOf('user_ann')}` },
    });
    expect(reply.status).toBe(403);
  });
});

describe.each<[string, TokenOptions]>([
  ['of another issuer', { iss: 'https://issuer.example.net' }],
  ['of another key', { key: stranger.privateKey }],
  ['that is expired', { claims: { exp: 1_600_000_000 } }],
])('a token %s', (_, options) => {
  it('opens no rows, no files and no channel', async () => {
    const token = options.claims === undefined ? tokenOf('user_ann', options) : expired();
    const headers = { authorization: `Bearer ${await token}`, apikey: instance.env.ANON_KEY ?? '' };
    expect((await fetch(`${instance.url}/rest/v1/notes`, { headers })).status).toBe(401);
    const file = await fetch(`${instance.url}/storage/v1/object/authenticated/files/user_ann/a.txt`, {
      headers,
    });
    expect([400, 401, 403]).toContain(file.status);
    const client = await withToken(clientWith(token));
    const states: string[] = [];
    client.channel('notes').subscribe((status) => states.push(status));
    await until(() => states.length > 0);
    expect(states[0]).not.toBe('SUBSCRIBED');
  });
});

const expired = () =>
  new SignJWT({ role: 'authenticated', sub: 'user_ann' })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setIssuer(issuer)
    .setExpirationTime(1_600_000_000)
    .sign(privateKey);
