import { randomBytes } from 'node:crypto';
import { exchange } from './http.ts';
import { valueAt } from './match.ts';
import { addressOf, keyHeaders, type Target } from './target.ts';

/** A person made for the run. */
export type Person = { readonly id: string; readonly email: string; readonly token: string };

/** A person could not be made. */
class CastFailure extends Error {
  override readonly name = 'CastFailure';
}

/** The people of a run: each is made once, when a case first needs them. */
export type Cast = (name: string) => Promise<Person>;

/** Password of everybody that a run makes. */
export const password = 'Correct-horse-7-battery';

/** Makes people through the admin API, with confirmed addresses that start with the run's prefix. */
export function createCast(target: Target, prefix: string, signal: AbortSignal): Cast {
  const known = new Map<string, Promise<Person>>();
  return (name) => {
    const existing = known.get(name);
    if (existing !== undefined) return existing;
    const made = makePerson(target, `${prefix}${name}@example.com`, signal);
    known.set(name, made);
    return made;
  };
}

async function makePerson(target: Target, email: string, signal: AbortSignal): Promise<Person> {
  const created = await createUser(target, email, signal);
  const session = await post(
    target,
    '/auth/v1/token?grant_type=password',
    { email, password },
    'anon',
    signal,
  );
  const id = valueAt(created, 'id');
  const token = valueAt(session, 'access_token');
  if (typeof id !== 'string' || typeof token !== 'string') {
    throw new CastFailure(`the answers about ${email} hold no id or token`);
  }
  return { id, email, token };
}

/** By the admin API; where there is none, people sign up. */
async function createUser(target: Target, email: string, signal: AbortSignal): Promise<unknown> {
  const metadata = { made_by: 'compat' };
  const asked = { email, password, email_confirm: true, user_metadata: metadata };
  try {
    return await post(target, '/auth/v1/admin/users', asked, 'service', signal);
  } catch (refusal) {
    if (!(refusal instanceof CastFailure)) throw refusal;
    const signedUp = await post(
      target,
      '/auth/v1/signup',
      { email, password, data: metadata },
      'anon',
      signal,
    ).catch(() => undefined);
    if (signedUp === undefined) throw refusal;
    return valueAt(signedUp, 'user') ?? signedUp;
  }
}

async function post(
  target: Target,
  path: string,
  body: unknown,
  as: 'anon' | 'service',
  signal: AbortSignal,
): Promise<unknown> {
  const headers = { ...keyHeaders(target, as), 'content-type': 'application/json' };
  const url = addressOf(target, path);
  const answer = await exchange({ method: 'POST', url, headers, body: JSON.stringify(body) }, signal);
  if (answer.status === 200) return answer.json;
  throw new CastFailure(
    `could not make a user: POST ${path} answered ${answer.status} ${answer.text.slice(0, 200)}`,
  );
}

/** A prefix that nothing else has: letters and digits, fit for every kind of name. */
export const randomPrefix = (): string => `compat_${randomBytes(4).toString('hex')}_`;
