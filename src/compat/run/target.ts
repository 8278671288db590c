import { type Service, services } from '../cases/model.ts';

/** What the suite runs against. */
export type Target = {
  /** Base URL without a trailing slash, e.g. `https://ref.supabase.co`. */
  readonly url: string;
  readonly anonKey: string;
  readonly serviceKey: string;
  /** A login that may create tables and policies; without it cases that need tables are skipped. */
  readonly dbUrl: string | null;
  /** The secret that tokens are signed with (HS256); without it cases that need tokens of their own are skipped. */
  readonly jwtSecret?: string | undefined;
  /** Services that answer at an address of their own instead of below `url`, without the `/name/v1` of the gateway. */
  readonly bases?: Readonly<Partial<Record<Service, string>>> | undefined;
};

/** The address of a path as clients name it, e.g. `/auth/v1/user`. */
export function addressOf({ url, bases = {} }: Target, path: string): string {
  const service = services.find((name) => new RegExp(`^/${name}/v1(?![^/?])`).test(path));
  const base = service === undefined ? undefined : bases[service];
  return base === undefined || service === undefined
    ? `${url}${path}`
    : base + path.slice(`/${service}/v1`.length);
}

/** Headers that stand for a person without a token of their own, as supabase-js sends them. */
export function keyHeaders(target: Target, actor: 'anon' | 'service'): Record<string, string> {
  const key = actor === 'anon' ? target.anonKey : target.serviceKey;
  return { apikey: key, authorization: `Bearer ${key}` };
}

/** Headers of a signed-in person. */
export const tokenHeaders = (target: Target, token: string): Record<string, string> => ({
  apikey: target.anonKey,
  authorization: `Bearer ${token}`,
});
