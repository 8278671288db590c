import { z } from 'zod';
import type { Transaction } from '../../pg/session.ts';
import type { AuthDeps } from '../deps.ts';
import { AuthError } from '../errors.ts';
import { hookFailure } from '../failures/hook.ts';
import { callHttpHook } from './http-hook.ts';
import { callPgHook, pgFunctionOf } from './pg-hook.ts';
import { hookKeys } from './signature.ts';

/** Hooks and the name that each carries in its metadata. */
const metadataNames = {
  custom_access_token: 'customize-access-token',
  mfa_verification_attempt: 'mfa-verification',
  password_verification_attempt: 'password-verification',
  send_sms: 'send-sms',
  send_email: 'send-email',
  before_user_created: 'before-user-created',
  after_user_created: 'after-user-created',
} as const;

/** What a project may take part in. */
export type HookName = keyof typeof metadataNames;

/** Calls the project's functions and URLs. */
export interface Hooks {
  has(name: HookName): boolean;
  /**
   * Calls a hook and yields what it returned; null without content. A function of the database runs inside `tx` when
   * that is given. Throws the refusal that a hook answers with.
   */
  call(
    name: HookName,
    input: Readonly<Record<string, unknown>>,
    ip: string,
    tx?: Transaction | null,
  ): Promise<unknown>;
}

const refusal = z.object({
  error: z.object({ http_code: z.number().nullish(), message: z.string().nullish() }),
});

const localHosts: readonly string[] = ['localhost', '127.0.0.1', '[::1]', 'host.docker.internal'];

/** What is wrong with where a hook is; null when nothing is. Upstream: internal/conf/configuration.go. */
function uriProblem(uri: string): string | null {
  if (uri.startsWith('pg-functions:')) {
    return pgFunctionOf(uri) === null
      ? 'must have the form pg-functions://postgres/<schema>/<function>'
      : null;
  }
  if (!URL.canParse(uri)) return 'must be a URL';
  const { protocol, hostname } = new URL(uri);
  if (protocol === 'https:') return null;
  if (protocol !== 'http:') return 'only postgres hooks and HTTPS functions are supported at the moment';
  return localHosts.includes(hostname) ? null : 'only localhost, 127.0.0.1, and ::1 are supported with http';
}

function demandUri(name: string, uri: string): string {
  const problem = uri === '' ? 'must be set' : uriProblem(uri);
  if (problem !== null) throw new RangeError(`auth.hook.${name}.uri: ${problem}`);
  return uri;
}

/** Creates the hooks of the configuration; throws `RangeError` for an unusable address or secret. */
export function createHooks(deps: Pick<AuthDeps, 'config' | 'db' | 'fetch' | 'clock' | 'random'>): Hooks {
  const settings = new Map(
    Object.entries(deps.config.hooks)
      .filter(([, hook]) => hook.enabled)
      .map(([name, hook]) => [name, { uri: demandUri(name, hook.uri), keys: hookKeys(hook.secrets) }]),
  );
  return {
    has: (name) => settings.has(name),
    async call(name, input, ip, tx = null) {
      const hook = settings.get(name);
      if (hook === undefined) return null;
      const metadata = {
        uuid: deps.random.uuid(),
        time: new Date(deps.clock.now()).toISOString(),
        name: metadataNames[name],
        ip_address: ip,
      };
      const body = JSON.stringify({ metadata, ...input });
      const output = hook.uri.startsWith('pg-functions:')
        ? await callPgHook(deps.db, tx, hook.uri, body)
        : parseReply(await callHttpHook(deps, hook.uri, hook.keys, body));
      if (output !== null && (typeof output !== 'object' || Array.isArray(output))) {
        throw hookFailure.badOutput();
      }
      refuseIfAsked(output);
      return output;
    },
  };
}

function parseReply(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    throw hookFailure.badOutput();
  }
}

/** A hook refuses with `{"error": {"http_code", "message"}}`; one without a message refuses nothing. */
function refuseIfAsked(output: unknown): void {
  const asked = refusal.safeParse(output);
  if (!asked.success || !asked.data.error.message) return;
  const status = asked.data.error.http_code || 500;
  const code = status === 500 ? 'unexpected_failure' : 'unknown';
  throw new AuthError(status, code, asked.data.error.message, { isUncoded: true });
}
