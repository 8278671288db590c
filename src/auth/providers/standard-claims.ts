import { z } from 'zod';
import type { JsonObject } from '../store/rows.ts';
import { rfc3339 } from '../timestamp.ts';

const text = z.string().nullish();
const number = z.number().nullish();

/** Seconds since the epoch or a timestamp; becomes a timestamp. */
const moment = z
  .union([z.number(), z.string()])
  .nullish()
  .transform((value, context) => {
    if (value === null || value === undefined || value === '') return undefined;
    const time = typeof value === 'number' ? new Date(Math.trunc(value) * 1000) : new Date(value);
    if (Number.isNaN(time.getTime())) {
      context.addIssue('must be a time');
      return z.NEVER;
    }
    return rfc3339(time.toISOString());
  });

/** The claims that identities hold by themselves, with their types. Upstream: internal/api/provider/provider.go. */
const standard = z.object({
  iss: text,
  sub: text,
  aud: z
    .union([z.string(), z.array(z.string())])
    .nullish()
    .transform((value) => (typeof value === 'string' ? [value] : value)),
  iat: number,
  exp: number,
  name: text,
  family_name: text,
  given_name: text,
  middle_name: text,
  nickname: text,
  preferred_username: text,
  profile: text,
  picture: text,
  website: text,
  gender: text,
  birthdate: text,
  zoneinfo: text,
  locale: text,
  updated_at: moment,
  email: text,
  email_verified: z.boolean().nullish(),
  phone: text,
  phone_verified: z.boolean().nullish(),
  custom_claims: z.record(z.string(), z.unknown()).nullish(),
  full_name: text,
  avatar_url: text,
  slug: text,
  provider_id: text,
  user_name: text,
});

const isFilled = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && value !== 0 && value !== false;

/** The standard claims among those of a provider; null when one of them has another type than it should. */
export function standardClaims(raw: JsonObject): JsonObject | null {
  const parsed = standard.safeParse(raw);
  if (!parsed.success) return null;
  return Object.fromEntries(Object.entries(parsed.data).filter(([, value]) => isFilled(value)));
}
