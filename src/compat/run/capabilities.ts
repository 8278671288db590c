import { type Need, needs } from '../cases/model.ts';
import { exchange, type HttpAnswer } from './http.ts';
import { valueAt } from './match.ts';
import { addressOf, keyHeaders } from './target.ts';
import { signingSecret } from './token.ts';
import type { World } from './world.ts';

/** Why cases that need something are skipped, by what they need. */
const reasons: Readonly<Record<Need, string>> = {
  database: 'no --db-url was given, so the tables and policies of this case could not be made',
  signup: 'sign-up by e-mail is turned off',
  autoconfirm: 'new addresses must be confirmed by mail',
  anonymous: 'anonymous sign-in is turned off',
  totp: 'enrolment of TOTP factors is turned off',
  images: 'image transformation is turned off',
  secret: 'the secret that signs tokens is not known: name it with --jwt-secret',
  gateway: "the service is asked at its own address, and this behaviour is the gateway's",
};

/** What the target offers of that which cases may need: everything that it does not say is off, so that a case finds out. */
export async function probeCapabilities(world: World): Promise<ReadonlySet<Need>> {
  const settings = (await ask(world, '/auth/v1/settings')).json;
  const isOff = valueAt(settings, 'disable_signup') === true || valueAt(settings, 'external.email') === false;
  const offered: Readonly<Record<Need, boolean>> = {
    database: world.database !== null,
    signup: !isOff,
    autoconfirm: valueAt(settings, 'mailer_autoconfirm') !== false,
    anonymous: valueAt(settings, 'external.anonymous_users') !== false,
    totp: await enrolsTotp(world),
    images: await rendersImages(world),
    secret: signingSecret(world.target) !== null,
    gateway: Object.keys(world.target.bases ?? {}).length === 0,
  };
  return new Set(needs.filter((need) => offered[need]));
}

/** Why a case cannot run on this target; null when it can. */
export const missingNeed = (wanted: readonly Need[], available: ReadonlySet<Need>): string | null => {
  const missing = wanted.find((need) => !available.has(need));
  return missing === undefined ? null : reasons[missing];
};

/** The settings do not tell, so a person of the run tries; the unfinished factor goes with the person. */
async function enrolsTotp(world: World): Promise<boolean> {
  const person = await world.cast('enroller').catch(() => null);
  if (person === null) return true;
  const answer = await exchange(
    {
      method: 'POST',
      url: addressOf(world.target, '/auth/v1/factors'),
      headers: {
        apikey: world.target.anonKey,
        authorization: `Bearer ${person.token}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ factor_type: 'totp', friendly_name: 'probe' }),
    },
    world.signal,
  );
  return valueAt(answer.json, 'error_code') !== 'mfa_totp_enroll_not_enabled';
}

/** Where the feature is off, the route does not exist or the tenant may not use it; where it is on, the bucket is missing. */
async function rendersImages(world: World): Promise<boolean> {
  const answer = await ask(world, `/storage/v1/render/image/public/${world.prefix}none/none.png`);
  return !/Route .* not found|FeatureNotEnabled|is not enabled|is not installed/i.test(answer.text);
}

function ask(world: World, path: string): Promise<HttpAnswer> {
  const headers = keyHeaders(world.target, 'anon');
  return exchange({ method: 'GET', url: addressOf(world.target, path), headers, body: null }, world.signal);
}
