import { createHash } from 'node:crypto';
import type { Answer, Target } from '../target.ts';

/** Something that is done to both servers, under each of the profiles named. */
export type Scenario = {
  readonly name: string;
  readonly profiles: readonly string[];
  readonly run: (target: Target) => Promise<void>;
};

export const password = 'Correct-horse-1';
export const verifier = 'v'.repeat(64);
export const challenge = {
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 's256',
};
/** Asks for the envelope of errors that auth-js reads. */
export const newVersion = { 'x-supabase-api-version': '2024-01-01' };
export const noId = '0a1b2c3d-0000-4000-8000-000000000000';

/** POSTs a body; the step is named after both. */
export const post = (target: Target, path: string, body: unknown, token?: string): Promise<Answer> =>
  target.ask(`POST ${path} ${JSON.stringify(body)}`, 'POST', path, { body, token });

/** Signs in by password. */
export async function signIn(target: Target, email: string, secret = password) {
  const body = { email, password: secret };
  return (await target.ask(`sign in ${email}`, 'POST', '/token?grant_type=password', { body })).json;
}

/** Makes a confirmed user as an admin and signs in. */
export async function member(target: Target, email: string, more: Readonly<Record<string, unknown>> = {}) {
  const body = { email, password, email_confirm: true, user_metadata: { name: 'N' }, ...more };
  const made = await target.ask(`make ${email}`, 'POST', '/admin/users', { token: target.serviceKey, body });
  const session = await signIn(target, email);
  return { id: made.json?.id as string, token: session?.access_token as string, session };
}

/** Signs somebody up, follows the link and signs in. */
export async function confirmed(target: Target, email: string) {
  await target.ask('sign up', 'POST', '/signup', { body: { email, password, data: { name: 'N' } } });
  const { query } = await target.mail(email);
  await target.ask('follow', 'GET', `/verify${query}`);
  return signIn(target, email);
}

/** Refreshes by a token. */
export const refresh = (target: Target, step: string, refresh_token: string): Promise<Answer> =>
  target.ask(step, 'POST', '/token?grant_type=refresh_token', { body: { refresh_token } });
