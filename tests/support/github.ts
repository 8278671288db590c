import type { AuthInstance } from './auth.ts';

/** A user of the provider. */
export type GitHubUser = { readonly id: number; readonly email: string | null; readonly verified: boolean };

/** A stand-in for GitHub: codes name the user that the provider then tells of. */
export type GitHub = {
  readonly users: Map<string, GitHubUser>;
  /** Bodies of the exchanges of codes so far. */
  readonly exchanges: URLSearchParams[];
  readonly fetch: typeof fetch;
};

/** Settings that turn the stand-in on. */
export const gitHubEnv = {
  GOTRUE_EXTERNAL_GITHUB_ENABLED: 'true',
  GOTRUE_EXTERNAL_GITHUB_CLIENT_ID: 'client',
  GOTRUE_EXTERNAL_GITHUB_SECRET: 'secret',
  GOTRUE_EXTERNAL_GITHUB_URL: 'https://github.test',
} as const;

/** Creates a provider without users. */
export function createGitHub(): GitHub {
  const users = new Map<string, GitHubUser>();
  const exchanges: URLSearchParams[] = [];
  const json = (value: unknown, status = 200) => Promise.resolve(Response.json(value, { status }));
  return {
    users,
    exchanges,
    fetch: (input, init) => {
      const url = String(input);
      if (url.endsWith('/login/oauth/access_token')) {
        const body = new URLSearchParams(String(init?.body));
        exchanges.push(body);
        const code = body.get('code') ?? '';
        if (!users.has(code)) return json({ error: 'bad_verification_code' }, 400);
        return json({ access_token: `at-${code}`, refresh_token: `rt-${code}`, token_type: 'bearer' });
      }
      const authorization = new Headers(init?.headers).get('authorization');
      const user = users.get(authorization?.replace('Bearer at-', '') ?? '');
      if (user === undefined) return json({}, 401);
      const { id, email, verified } = user;
      if (url.endsWith('/user/emails'))
        return json(email === null ? [] : [{ email, verified, primary: true }]);
      return json({ id, login: `user${id}`, name: `User ${id}`, avatar_url: 'https://a/p.png' });
    },
  };
}

/** Goes to the provider; yields the state that the browser was sent there with. */
export async function goToGitHub(
  auth: AuthInstance,
  query = '',
): Promise<{ readonly location: URL; readonly state: string }> {
  const answer = await auth.call('GET', `/authorize?provider=github${query}`);
  const location = new URL(answer.headers.get('location') ?? '');
  return { location, state: location.searchParams.get('state') ?? '' };
}

/** Comes back from it; yields where the browser is sent. */
export async function comeFromGitHub(auth: AuthInstance, state: string, code: string): Promise<URL> {
  const answer = await auth.call('GET', `/callback?state=${state}&code=${code}`);
  return new URL(answer.headers.get('location') ?? '');
}

/** Members of a URL's fragment. */
export const fragmentOf = (url: URL): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(url.hash.slice(1)));
