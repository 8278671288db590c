import { beforeEach, describe, expect, it } from 'vitest';
import { sql } from '../../../src/pg/sql/sql.ts';
import { type AuthInstance, startAuth } from '../../support/auth.ts';

/*
 * Accounts of several providers, and what is left of a user when one of them goes.
 */
const auth = await startAuth({
  env: {
    GOTRUE_SECURITY_MANUAL_LINKING_ENABLED: 'true',
    GOTRUE_MAILER_AUTOCONFIRM: 'false',
    GOTRUE_SMTP_MAX_FREQUENCY: '0s',
  },
});
const off = await startAuth();
const password = 'correct horse';
const admin = auth.serviceKey;

type Person = { readonly id: string; readonly email: string; readonly token: string };
let people = 0;

async function member(): Promise<Person> {
  const email = `owner${++people}@example.com`;
  const body = { email, password, email_confirm: true };
  const { id } = (await auth.call('POST', '/admin/users', { token: admin, body })).json;
  const { access_token: token } = (
    await auth.call('POST', '/token?grant_type=password', { body: { email, password } })
  ).json;
  return { id, email, token };
}

/** An account at a provider that somebody has linked. */
async function link(
  { id }: Person,
  provider: string,
  email: string | null,
  isVerified = true,
): Promise<string> {
  const [row] = await auth.database.owner.query<{ id: string }>(sql`
    insert into auth.identities (id, provider_id, user_id, provider, identity_data, created_at, updated_at)
    values (gen_random_uuid(), ${`${provider}-${++people}`}, ${id}, ${provider},
      ${sql.value({ email, email_verified: isVerified })}, now(), now())
    returning id`);
  return row?.id ?? '';
}

const unlink = (token: string, identity: string) =>
  auth.call('DELETE', `/user/identities/${identity}`, { token });
const identityOf = async ({ token }: Person, provider: string): Promise<string> =>
  (await auth.call('GET', '/user', { token })).json.identities.find(
    (identity: { provider: string }) => identity.provider === provider,
  ).identity_id;
const userOf = async ({ id }: Person) =>
  (await auth.call('GET', `/admin/users/${id}`, { token: admin })).json;

let person: Person;
beforeEach(async () => {
  person = await member();
});

describe('an account that is unlinked', () => {
  it('hands the address on to one that was verified, before one that was not', async () => {
    await link(person, 'gitlab', `unproven${people}@example.com`, false);
    const proven = `proven${people}@example.com`;
    await link(person, 'github', proven);
    expect((await unlink(person.token, await identityOf(person, 'email'))).status).toBe(200);
    expect(await userOf(person)).toMatchObject({
      email: proven,
      email_confirmed_at: expect.any(String),
      app_metadata: { providers: expect.arrayContaining(['github', 'gitlab']) },
    });
  });

  it('leaves an address that nobody verified unconfirmed, and takes back what was on its way', async () => {
    const unproven = `unproven${people}@example.com`;
    await link(person, 'gitlab', unproven, false);
    await auth.call('POST', '/recover', { body: { email: person.email } });
    const { link: mailed } = await auth.nextMail(person.email);
    await unlink(person.token, await identityOf(person, 'email'));
    const user = await userOf(person);
    expect([user.email, user.email_confirmed_at]).toEqual([unproven, undefined]);
    const { headers } = await auth.call('GET', `/verify${mailed.search}`);
    expect(headers.get('location')).toContain('error_code=otp_expired');
    const signIn = await auth.call('POST', '/token?grant_type=password', {
      body: { email: unproven, password },
    });
    expect(signIn.json.error_code).toBe('email_not_confirmed');
  });

  it('stays where the address that is left has another user', async () => {
    const other = await member();
    await link(person, 'github', other.email);
    const email = await identityOf(person, 'email');
    const { status, json } = await unlink(person.token, email);
    expect([status, json.error_code, json.msg]).toEqual([
      422,
      'email_conflict_identity_not_deletable',
      'Unable to unlink identity due to email conflict',
    ]);
    expect(await identityOf(person, 'email')).toBe(email);
  });

  it('takes the number with it when it is the phone', async () => {
    await auth.database.owner.query(sql`
      update auth.users set phone = '15551230099', phone_confirmed_at = now() where id = ${person.id}`);
    const phone = await link(person, 'phone', null);
    expect((await unlink(person.token, phone)).status).toBe(200);
    const user = await userOf(person);
    expect([user.phone, user.phone_confirmed_at, user.email]).toEqual(['', undefined, person.email]);
  });

  it('is one’s own, and is there', async () => {
    await link(person, 'github', person.email);
    const other = await member();
    const hers = await link(other, 'github', other.email);
    for (const [identity, status, code] of [
      [hers, 422, 'identity_not_found'],
      ['0a1b2c3d-0000-4000-8000-000000000000', 422, 'identity_not_found'],
      ['nonsense', 404, 'validation_failed'],
    ] as const) {
      const { status: answered, json } = await unlink(person.token, identity);
      expect([answered, json.error_code]).toEqual([status, code]);
    }
    expect(await identityOf(other, 'github')).toBe(hers);
  });

  it('is not the last', async () => {
    const { status, json } = await unlink(person.token, await identityOf(person, 'email'));
    expect([status, json.error_code, json.msg]).toEqual([
      422,
      'single_identity_not_deletable',
      'User must have at least 1 identity after unlinking',
    ]);
  });
});

describe('a first password', () => {
  const env = { GOTRUE_EXPERIMENTAL_CREATE_EMAIL_IDENTITY_ON_PASSWORD_SET_ENABLED: 'true' };
  /** Somebody who came through a provider, and has no password. */
  async function withoutPassword(instance: AuthInstance, email: string) {
    const body = { email, email_confirm: true };
    const call = { token: instance.serviceKey, body };
    const { id } = (await instance.call('POST', '/admin/users', call)).json;
    await instance.database.owner.exec(`
      update auth.users set encrypted_password = null where id = '${id}';
      update auth.identities set provider = 'github', provider_id = '77${id}' where user_id = '${id}';
      update auth.users set raw_app_meta_data = '{"provider":"github","providers":["github"]}' where id = '${id}';`);
    return String(id);
  }
  const setBySelf = async (instance: AuthInstance, email: string) => {
    await instance.call('POST', '/otp', { body: { email } });
    const body = { type: 'email', email, token: (await instance.nextMail(email)).code };
    const token = (await instance.call('POST', '/verify', { body })).json.access_token;
    await instance.call('PUT', '/user', { token, body: { password } });
  };
  const setByAdmin = async (instance: AuthInstance, _: string, id: string) => {
    await instance.call('PUT', `/admin/users/${id}`, { token: instance.serviceKey, body: { password } });
  };

  it.each([
    ['its user', setBySelf],
    ['an admin', setByAdmin],
  ])('that %s sets gives the address an identity of its own, where the project says so', async (_, set) => {
    for (const [instance, providers] of [
      [await startAuth({ env }), ['github', 'email']],
      [off, ['github']],
    ] as const) {
      const email = `first${++people}@example.com`;
      const id = await withoutPassword(instance, email);
      await set(instance, email, id);
      const user = (await instance.call('GET', `/admin/users/${id}`, { token: instance.serviceKey })).json;
      expect(user.app_metadata.providers).toEqual(providers);
      expect(user.identities.map(({ provider }: { provider: string }) => provider).sort()).toEqual(
        [...providers].sort(),
      );
      const signIn = await instance.call('POST', '/token?grant_type=password', { body: { email, password } });
      expect(signIn.status).toBe(200);
    }
  });
});

it('accounts are linked by hand only where the project lets users do that', async () => {
  const { json } = await off.call('POST', '/signup', { body: { email: 'off@example.com', password } });
  for (const [method, path] of [
    ['GET', '/user/identities/authorize?provider=github'],
    ['DELETE', `/user/identities/${json.user.identities[0].identity_id}`],
  ] as const) {
    const refused = await off.call(method, path, { token: json.access_token });
    expect([refused.status, refused.json.error_code]).toEqual([404, 'manual_linking_disabled']);
  }
});
