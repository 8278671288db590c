import { BodyAborted } from '../http/body.ts';
import {
  type Handler,
  type HttpReply,
  type HttpRequest,
  jsonContentType,
  type ReplyHeaders,
} from '../http/exchange.ts';
import { type Call, openCall } from './call.ts';
import { demandCaptcha } from './captcha.ts';
import { createCleanup } from './cleanup.ts';
import type { AuthContext } from './context.ts';
import type { AuthDeps } from './deps.ts';
import { createColumnEncryption } from './encryption.ts';
import { toWire } from './errors.ts';
import { requestFailure } from './failures/request.ts';
import { createHooks } from './hooks/hooks.ts';
import { inTime } from './in-time.ts';
import { createGuesses } from './limits/guesses.ts';
import { createLimits } from './limits/limits.ts';
import { createPretences } from './limits/pretences.ts';
import { createMailer } from './mail/mailer.ts';
import { createUsedSteps } from './mfa/used-steps.ts';
import { createPasswords } from './passwords/passwords.ts';
import { presented } from './presented.ts';
import { createOidcVerifier } from './providers/oidc.ts';
import { createRedirectRules } from './redirects/rules.ts';
import { adminRoutes } from './routes/admin-routes.ts';
import { clientRoutes } from './routes/client-routes.ts';
import { createRouteFinder } from './routes/finder.ts';
import { groupsOf } from './routes/groups.ts';
import { createSmsSender } from './sms/sender.ts';
import { createServiceProvider } from './sso/service-provider.ts';
import { createAuditLog } from './store/audit.ts';
import { timestampNow } from './timestamp.ts';

/** The auth service. */
export type AuthService = {
  /** Answers requests whose path is without `/auth/v1`. */
  readonly handle: Handler;
  /** Resolves when no mail is waiting to be sent. */
  readonly settle: () => Promise<void>;
  /** Ends the service: waits for mails that are on their way, at most so many milliseconds. */
  readonly drain: (timeoutMs: number) => Promise<void>;
};

/** Creates the service; throws `RangeError` or `SyntaxError` for a configuration that cannot work. */
export function createAuthService(deps: AuthDeps): AuthService {
  const context = createContext(deps);
  const find = createRouteFinder([...clientRoutes, ...adminRoutes]);
  const cleanup = createCleanup(deps);
  return {
    async handle(given) {
      const request = presented(deps.config, given);
      const found = find(request.method, request.path === '' ? '/' : request.path);
      if (found === null || !('route' in found)) return refuse(context, request, found);
      const { route, params } = found;
      const reply = await answer(context, request, params, async (call) => {
        if (route.limit !== undefined) context.limits.demand(route.limit, request);
        if (route.captcha) await demandCaptcha(context, call);
        return route.endpoint(context, call);
      });
      if (changing.has(request.method) && reply.status < 300) cleanup?.step();
      return { ...reply, route: route.path };
    },
    async settle() {
      await context.mailer.settled();
      await cleanup?.settled();
    },
    drain: (timeoutMs) => context.mailer.drain(timeoutMs),
  };
}

/** Methods after which rows that are over are looked for. */
const changing: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

const minuteMs = 60_000;
/** As long as codes by mail are good in most settings. */
const hourMs = 60 * minuteMs;

function createContext(deps: AuthDeps): AuthContext {
  const now = (): string => timestampNow(deps.clock);
  const encryption = createColumnEncryption(deps.config, deps.random);
  return {
    ...deps,
    now,
    encryption,
    issuer: deps.config.jwtIssuer ?? deps.externalUrl,
    audit: createAuditLog({ isDisabled: deps.config.auditLogDisabled, uuid: deps.random.uuid, now }),
    guesses: createGuesses(deps.clock, hourMs),
    factorGuesses: createGuesses(deps.clock, 5 * minuteMs),
    hooks: createHooks(deps),
    limits: createLimits(deps),
    mailer: createMailer(deps),
    oidc: createOidcVerifier(deps),
    passwords: createPasswords(deps, encryption),
    pretences: createPretences(deps.clock),
    redirects: createRedirectRules(deps.config.siteUrl, deps.config.redirectUrls),
    serviceProvider: createServiceProvider(deps),
    sms: createSmsSender(deps),
    usedSteps: createUsedSteps(),
  };
}

/** Whoever may not enter a part of the service does not learn either which paths and methods it has. */
function refuse(
  context: AuthContext,
  request: HttpRequest,
  allowed: readonly string[] | null,
): Promise<HttpReply> {
  return answer(context, request, {}, async (call) => {
    for (const { demand, params } of groupsOf(request.path)) await demand(context, { ...call, params });
    if (allowed === null) return plain(404, '404 page not found\n');
    return { status: 405, headers: { allow: allowed.join(', ') }, body: null };
  });
}

async function answer(
  context: AuthContext,
  request: HttpRequest,
  params: Call['params'],
  work: (call: Call) => Promise<HttpReply>,
): Promise<HttpReply> {
  const call = openCall(context, request, params);
  try {
    const { maxRequestDurationMs: ms } = context.config;
    return worded(await inTime(ms, work(call), refuseLate), call.replyHeaders);
  } catch (thrown) {
    if (thrown instanceof BodyAborted) return plain(499, '');
    const failed = toWire(thrown, {
      requestId: request.id,
      apiVersion: request.headers['x-supabase-api-version']?.toString(),
      report: (service, message, error) =>
        context.observer({ kind: 'fault', service, message, error, requestId: request.id }),
    });
    return worded(failed, call.replyHeaders);
  }
}

const refuseLate = (): never => {
  throw requestFailure.tooSlow();
};

/** The reply with the call's own headers; upstream's JSON names no charset. */
function worded(reply: HttpReply, callHeaders: ReplyHeaders): HttpReply {
  const isJson = reply.headers['content-type'] === jsonContentType;
  const type = isJson ? { 'content-type': 'application/json' } : {};
  return { ...reply, headers: { ...callHeaders, ...reply.headers, ...type } };
}

const plain = (status: number, body: string): HttpReply => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body,
});
