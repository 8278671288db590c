import { describe, expect, it } from 'vitest';
import { createColumnEncryption } from '../../../src/auth/encryption.ts';
import { createBcrypt } from '../../../src/auth/passwords/bcrypt.ts';
import { createHashQueue } from '../../../src/auth/passwords/hash-queue.ts';
import { createPasswords } from '../../../src/auth/passwords/passwords.ts';
import { demandHashable, weaknessOf } from '../../../src/auth/passwords/policy.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { systemRandom } from '../../../src/core/clock.ts';

const configured = (env: Record<string, string>) =>
  loadConfig({ projectDir: '/nonexistent', env, flags: {} }).config.auth;

function passwords(env: Record<string, string> = {}, answer: typeof fetch = fetch) {
  const config = configured(env);
  const deps = { config, fetch: answer, observer: () => undefined, random: systemRandom };
  return createPasswords(deps, createColumnEncryption(config, systemRandom));
}

const id = '11111111-2222-4333-8444-555555555555';
const firebase =
  '$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjnN0/c41v8xZnO1n14J3MjKj1b2g6AUCAlFwMw==$C0sHCg9ek77hsg==$zKVTMvnWVw5BBOZNUdnsalx4c4c7y/w7IS5p6Ut2+CfEFFlz37J9huyQfov4iizN8dbjvEJlM5tQaJP84+hfTw==';
const argon2 =
  '$argon2id$v=19$m=32,t=3,p=2$SFVpOWJ0eXhjRzVkdGN1RQ$RXnb8rh7LaDcn07xsssqqulZYXOM/EUCEFMVcAcyYVk';
/** From the tests of the reference implementation. */
const argon2i = '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA';

describe('a stored password', () => {
  it.each([
    ['of Firebase', 'mytestpassword', firebase],
    ['of Argon2', 'test', argon2],
    ['of the older Argon2', 'password', argon2i],
    ['of bcrypt', 'U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    ['of bcrypt in its newer form', 'U*U', '$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    ['of bcrypt from PHP', 'U*U', '$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ])('%s is known', async (_, password, stored) => {
    const { verify, isKnownFormat } = passwords();
    expect(isKnownFormat(stored)).toBe(true);
    expect(await verify(password, stored, id)).toBe(true);
    expect(await verify(`${password}x`, stored, id)).toBe(false);
  });

  it.each([
    '',
    'plain',
    '$1$md5',
    '$argon2d$v=19$m=32,t=3,p=2$SFVpOWJ0eXhjRzVkdGN1RQ$RXnb8rh7LaDcn07xsssqqulZYXOM',
    '$argon2id$v=19$m=99999999,t=3,p=2$SFVpOWJ0eXhjRzVkdGN1RQ$RXnb8rh7LaDcn07xsssqqulZYXOM',
    firebase.replace('n=14', 'n=40'),
  ])('of another kind is not: %s', async (stored) => {
    const { verify, isKnownFormat } = passwords();
    expect(isKnownFormat(stored)).toBe(false);
    expect(await verify('x', stored, id)).toBe(false);
  });
});

it('that nobody is told is stored like any other, and no two alike', async () => {
  const { unknown, hash, verify, isKnownFormat } = passwords();
  const stored = unknown(id);
  expect(stored).toMatch(/^\$2a\$10\$[./A-Za-z0-9]{53}$/);
  expect([stored.length, isKnownFormat(stored)]).toEqual([(await hash('x', id)).length, true]);
  expect(unknown(id)).not.toBe(stored);
  expect(await verify('', stored, id)).toBe(false);
});

describe('a new password', () => {
  const policy = { minBytes: 8, requiredCharacters: ['abc', '0123'] };
  it.each([
    ['abcdefg1', false, []],
    ['abc1', false, ['length']],
    ['zzzzzzzz', false, ['characters']],
    ['zzz', true, ['length', 'characters', 'pwned']],
    ['éééé', false, ['characters']],
  ])('%s (leaked: %s) has the weaknesses %j', (password, leaked, reasons) => {
    expect(weaknessOf(password, policy, leaked)?.reasons ?? []).toEqual(reasons);
  });

  it('has six bytes at least, whatever is configured', () => {
    const none = { minBytes: 0, requiredCharacters: [] };
    expect(weaknessOf('12345', none, false)?.message).toBe('Password should be at least 6 characters.');
    expect(weaknessOf('123456', none, false)).toBeNull();
  });

  it('has 72 bytes at most', () => {
    expect(() => demandHashable('é'.repeat(36))).not.toThrow();
    expect(() => demandHashable(`${'é'.repeat(36)}a`)).toThrow('longer than 72 characters');
  });

  const leakedHash = '1E4C9B93F3F0682250B6CF8331B7EE68FD8';
  const env = { GOTRUE_PASSWORD_HIBP_ENABLED: 'true' };
  it('is looked up by five characters of its hash', async () => {
    const asked: string[] = [];
    const answer: typeof fetch = (url) => {
      asked.push(String(url));
      return Promise.resolve(new Response(`0000:3\r\n${leakedHash}:9\r\n`));
    };
    expect(await passwords(env, answer).weakness('password')).toMatchObject({ reasons: ['pwned'] });
    expect(asked).toEqual(['https://api.pwnedpasswords.com/range/5BAA6']);
  });

  it('that only pads the answer is not leaked', async () => {
    const answer: typeof fetch = () => Promise.resolve(new Response(`${leakedHash}:0\r\n`));
    expect(await passwords(env, answer).weakness('password')).toBeNull();
  });

  it('passes when it cannot be looked up, unless it must be', async () => {
    const answer: typeof fetch = () => Promise.reject(new TypeError('no network'));
    expect(await passwords(env, answer).weakness('password')).toBeNull();
    const strict = { ...env, GOTRUE_PASSWORD_HIBP_FAIL_CLOSED: 'true' };
    await expect(passwords(strict, answer).weakness('password')).rejects.toMatchObject({ status: 500 });
  });
});

describe('the threads of bcrypt', () => {
  const stored = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

  it('answer each job its own, many at once', async () => {
    const { verify } = createBcrypt();
    const answers = await Promise.all(['U*U', 'U*V', 'U*U', 'x'].map((password) => verify(password, stored)));
    expect(answers).toEqual([true, false, true, false]);
  });

  it('serve on when those that had nothing to do end', async () => {
    const { verify } = createBcrypt(undefined, 0);
    for (let i = 0; i < 6; i++) {
      expect(await verify('U*U', stored)).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  });

  it('report what they cannot do', async () => {
    const { hash } = createBcrypt();
    await expect(hash(Symbol('no text') as never)).rejects.toThrow();
  });
});

it('hashes wait their turn', async () => {
  const queue = createHashQueue(2);
  let running = 0;
  let most = 0;
  const job = async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
  };
  const failing = queue(() => Promise.reject(new Error('x'))).catch(() => undefined);
  await Promise.all([failing, ...Array.from({ length: 20 }, () => queue(job))]);
  expect(most).toBe(2);
});

describe('an encrypted column', () => {
  const key = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8';
  const stored =
    '{"key_id":"k1","alg":"aes-gcm-hkdf","data":"kPqTo3ZHesRosDZpctrMDfXuKBXqiA==","nonce":"BwcHBwcHBwcHBwcH"}';
  const env = {
    GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPT: 'true',
    GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY_ID: 'k1',
    GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY: key,
  };
  const sevens = { ...systemRandom, bytes: (size: number) => Buffer.alloc(size, 7) };

  it('is what upstream writes', () => {
    const encryption = createColumnEncryption(configured(env), sevens);
    expect(encryption.seal(id, 'secret')).toBe(stored);
    expect(encryption.open(id, stored)).toBe('secret');
    expect(encryption.reseal(id, stored)).toBeNull();
    expect(encryption.reseal(id, 'secret')).toBe(stored);
  });

  it('of another row, or changed, is refused', () => {
    const encryption = createColumnEncryption(configured(env), sevens);
    expect(() => encryption.open('22222222-2222-4333-8444-555555555555', stored)).toThrow();
    expect(() => encryption.open(id, stored.replace('kPqT', 'kPqU'))).toThrow();
    expect(() => encryption.open(id, stored.replace('k1', 'k2'))).toThrow(RangeError);
  });

  it('is plain without a key', () => {
    const encryption = createColumnEncryption(configured({}), systemRandom);
    expect(encryption.seal(id, 'secret')).toBe('secret');
    expect(encryption.open(id, 'secret')).toBe('secret');
    expect(encryption.open(id, '{"not":"sealed"}')).toBe('{"not":"sealed"}');
  });
});
