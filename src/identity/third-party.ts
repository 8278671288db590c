import type { JWK } from 'jose';
import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { type BackgroundService, pause } from '../core/lifecycle.ts';
import type { Observer } from '../core/observe.ts';
import { type VerificationKey, verificationKey } from './key-set.ts';
import type { KeySource } from './verify.ts';

/** The tables of `[auth.third_party]`, as config.toml writes them. */
export type ThirdPartySettings = Readonly<
  Record<string, { readonly enabled: boolean; readonly [key: string]: unknown }>
>;

/** An issuer outside of this instance whose tokens the data services accept. */
export type ThirdPartyIssuer = { readonly name: string; readonly url: string };

type Issuer = {
  /** Members that it cannot do without. */
  readonly needs: readonly string[];
  readonly url: (text: (key: string) => string) => string;
  readonly problem?: (text: (key: string) => string) => string | null;
};

const clerkDomain = /^(clerk([.][a-z0-9-]+){2,}|([a-z0-9-]+[.])+clerk[.]accounts[.]dev)$/;

/** How each kind of issuer is written in config.toml. Upstream: supabase/cli pkg/config/config.go. */
const issuers: Readonly<Record<string, Issuer>> = {
  firebase: {
    needs: ['project_id'],
    url: (text) => `https://securetoken.google.com/${text('project_id')}`,
  },
  auth0: {
    needs: ['tenant'],
    url: (text) =>
      `https://${[text('tenant'), text('tenant_region')].filter((part) => part !== '').join('.')}.auth0.com`,
  },
  aws_cognito: {
    needs: ['user_pool_id', 'user_pool_region'],
    url: (text) => `https://cognito-idp.${text('user_pool_region')}.amazonaws.com/${text('user_pool_id')}`,
  },
  clerk: {
    needs: ['domain'],
    url: (text) => `https://${text('domain')}`,
    problem: (text) =>
      clerkDomain.test(text('domain'))
        ? null
        : 'has an invalid domain: it usually is like clerk.example.com or example.clerk.accounts.dev',
  },
  workos: { needs: ['issuer_url'], url: (text) => text('issuer_url') },
};

/** The issuer that the configuration turns on; null without one. Throws `RangeError` for one that cannot work. */
export function thirdPartyIssuer(settings: ThirdPartySettings): ThirdPartyIssuer | null {
  const [first, ...others] = Object.entries(settings).filter(([, { enabled }]) => enabled);
  if (first === undefined) return null;
  if (others.length > 0) throw new RangeError('only one issuer of auth.third_party may be enabled at a time');
  const [name, members] = first;
  const kind = Object.hasOwn(issuers, name) ? issuers[name] : undefined;
  if (kind === undefined) throw new RangeError(`auth.third_party.${name} is not known`);
  const text = (key: string): string => (typeof members[key] === 'string' ? members[key] : '');
  const missing = kind.needs.find((key) => text(key) === '');
  if (missing !== undefined)
    throw new RangeError(`auth.third_party.${name} is enabled but without ${missing}`);
  const problem = kind.problem?.(text) ?? null;
  if (problem !== null) throw new RangeError(`auth.third_party.${name} ${problem}`);
  return { name, url: kind.url(text).replace(/\/+$/, '') };
}

const discovery = z.looseObject({ issuer: z.string().optional(), jwks_uri: z.string() });
const keySet = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })) });

const timeoutMs = 10_000;
/** How old keys may become, and how soon after a fetch a token of an unknown key may cause the next one. */
const refreshMs = 600_000;
const cooldownMs = 30_000;

/** The keys of an issuer, kept current. */
export type ThirdPartyKeys = {
  readonly source: KeySource;
  /** Fetches the keys now and then; rejects while it cannot, so that its supervisor tries again. */
  readonly service: BackgroundService;
};

/** What the keys depend on. */
export type ThirdPartyDeps = {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly observer: Observer;
};

/** Keys of an issuer, found by OpenID Connect discovery. Nothing is fetched before the service runs. */
export function createThirdPartyKeys(issuer: ThirdPartyIssuer, deps: ThirdPartyDeps): ThirdPartyKeys {
  let keys: readonly VerificationKey[] = [];
  let version = 0;
  let fetchedMs = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | null = null;
  const load = async (): Promise<void> => {
    fetchedMs = deps.clock.now();
    const fresh = await fetchKeys(deps.fetch, issuer);
    const names = (list: readonly VerificationKey[]): string => list.map(({ kid }) => kid).join('\n');
    const isNew = names(fresh) !== names(keys);
    keys = fresh;
    version += 1;
    if (isNew) deps.observer(notice(issuer, fresh.length));
  };
  const once = (): Promise<void> => {
    running ??= load().finally(() => {
      running = null;
    });
    return running;
  };
  return {
    source: {
      keys: () => keys,
      version: () => version,
      async refresh(claimedIssuer) {
        const isOurs = stripSlash(claimedIssuer ?? '') === issuer.url;
        if (!isOurs || (running === null && deps.clock.now() - fetchedMs < cooldownMs)) return false;
        const before = version;
        // What went wrong is reported by the background service; the token is refused by the keys there are.
        await once().catch(() => {});
        return version !== before;
      },
    },
    service: {
      id: `keys of ${issuer.name}`,
      service: 'auth',
      async run(signal) {
        while (!signal.aborted) {
          await once();
          await pause(refreshMs, signal);
        }
      },
    },
  };
}

const stripSlash = (url: string): string => url.replace(/\/+$/, '');

const notice = ({ name, url }: ThirdPartyIssuer, count: number): Parameters<Observer>[0] => ({
  kind: 'notice',
  service: 'auth',
  level: 'info',
  message: `tokens of ${url} are accepted`,
  fields: { issuer: name, keys: count },
});

async function fetchKeys(get: typeof fetch, issuer: ThirdPartyIssuer): Promise<readonly VerificationKey[]> {
  const load = async (url: string): Promise<unknown> => {
    const reply = await get(url, { signal: AbortSignal.timeout(timeoutMs) });
    if (!reply.ok) throw new Error(`${url} answered ${reply.status}`);
    return reply.json();
  };
  const document = discovery.parse(await load(`${issuer.url}/.well-known/openid-configuration`));
  const { keys } = keySet.parse(await load(document.jwks_uri));
  const usable = await Promise.all(keys.map((jwk) => importKey(jwk as JWK, issuer.url)));
  const found = usable.filter((key) => key !== null);
  if (found.length === 0) throw new Error(`${document.jwks_uri} has no key that can be used`);
  return found;
}

/** A published key can only be a public one; kinds that are not known are left out. */
async function importKey(jwk: JWK, issuer: string): Promise<VerificationKey | null> {
  if (jwk.kty === 'oct') return null;
  try {
    return { ...(await verificationKey(jwk)), issuer };
  } catch {
    // Issuers publish keys for encryption and of new kinds beside those for signatures.
    return null;
  }
}

/** Two sources as one. */
export function joinKeys(own: KeySource, foreign: KeySource): KeySource {
  return {
    keys: () => [...own.keys(), ...foreign.keys()],
    version: () => own.version() + foreign.version(),
    refresh: async (issuer) => (await foreign.refresh?.(issuer)) ?? false,
  };
}
