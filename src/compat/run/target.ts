/** What the suite runs against. */
export type Target = {
  /** Base URL without a trailing slash, e.g. `https://ref.supabase.co`. */
  readonly url: string;
  readonly anonKey: string;
  readonly serviceKey: string;
  /** A login that may create tables and policies; without it cases that need tables are skipped. */
  readonly dbUrl: string | null;
};

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
