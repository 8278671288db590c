import { z } from 'zod';
import { BodyTooLarge, readBody } from '../http/body.ts';
import type { HttpRequest } from '../http/exchange.ts';
import type { Claims } from '../identity/verify.ts';
import type { AuthContext } from './context.ts';
import type { AuthError } from './errors.ts';
import { requestFailure } from './failures/request.ts';
import { type BodySchema, decodeJson } from './go-json/decode.ts';
import type { Actor } from './store/audit.ts';
import type { Session, User } from './store/rows.ts';

/** Largest body of any request. */
const maxBodyBytes = 1024 * 1024;

/** One request on its way through the service. */
export type Call = {
  readonly request: HttpRequest;
  /** Parameters of the route's path. */
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: URLSearchParams;
  /** The whole body, read once. */
  readonly bytes: () => Promise<Buffer>;
  /** Fields of a form body; empty for any other. */
  readonly form: () => Promise<URLSearchParams>;
  /** Where to send the user in the end: a permitted wish of the request, or the site. */
  readonly redirectTo: () => Promise<string>;
  /** Audience that users are looked up in. */
  readonly aud: string;
  /** Base of links in mails. */
  readonly externalUrl: string;
  /** Headers that a flow adds to the reply. */
  readonly replyHeaders: Record<string, string>;
};

/** A request of a signed-in user. */
export type UserCall = Call & {
  readonly claims: Claims;
  readonly user: User;
  /** Null for tokens that were not made by a session. */
  readonly session: Session | null;
};

/** A request with an admin's token. */
export type AdminCall = Call & { readonly claims: Claims; readonly actor: Actor };

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
};

/** Opens a request; nothing of it is read yet. */
export function openCall(context: AuthContext, request: HttpRequest, params: Call['params']): Call {
  const query = new URLSearchParams(request.query);
  const bytes = once(async () => {
    try {
      return await readBody(request, maxBodyBytes);
    } catch (thrown) {
      if (thrown instanceof BodyTooLarge) throw requestFailure.bodyTooLarge(maxBodyBytes);
      throw thrown;
    }
  });
  const form = once(async () => {
    const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded');
    return new URLSearchParams(isForm ? (await bytes()).toString() : '');
  });
  return {
    request,
    params,
    query,
    bytes,
    form,
    redirectTo: once(async () => {
      const header = request.headers.redirect_to;
      const wish =
        (typeof header === 'string' ? header : '') ||
        (await form()).get('redirect_to') ||
        query.get('redirect_to');
      return context.redirects.choose(wish ?? '', request.headers.referer ?? '');
    }),
    aud: headerText(request, 'x-jwt-aud') ?? context.config.jwtAudience,
    externalUrl: externalUrlOf(context, request),
    replyHeaders: {},
  };
}

/** A header's single value; null when absent or empty. */
export function headerText(request: HttpRequest, name: string): string | null {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Links carry another host only when the configuration lists it: a forged header must not choose it. */
function externalUrlOf(context: AuthContext, request: HttpRequest): string {
  const hosts = context.config.mailerExternalHosts;
  const host = headerText(request, 'x-forwarded-host') ?? request.headers.host ?? '';
  const name = host.replace(/:\d+$/, '');
  if (hosts.length === 0 || !(hosts.includes(host) || hosts.includes(name))) return context.externalUrl;
  const base = new URL(context.externalUrl);
  const isPlain = name === 'localhost' && request.protocol === 'http';
  return `${isPlain ? 'http' : 'https'}://${host}${base.pathname.replace(/\/$/, '')}`;
}

/** The JSON body by its schema; a null member counts as absent. Refuses with `bad_json`, in the endpoint's words. */
export async function readJson<T>(
  call: Call,
  schema: BodySchema<T>,
  refuse: (reason: string) => AuthError = requestFailure.badJson,
): Promise<T> {
  const decoded = decodeJson((await call.bytes()).toString(), schema);
  if (!decoded.ok) throw refuse(decoded.error);
  return decoded.value;
}

/** Members of bodies: absent and null are the empty value, as Go decodes them. */
export const field = {
  text: z
    .string()
    .nullish()
    .transform((value) => value ?? ''),
  flag: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
  object: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((value) => value ?? null),
  /** Anything; null when absent. */
  any: z
    .unknown()
    .optional()
    .transform((value) => value ?? null),
  /** Text that may be absent, which differs from empty. */
  optionalText: z
    .string()
    .nullish()
    .transform((value) => value ?? null),
} as const;

/** Members of every flow that can end in a code for PKCE. */
export const pkceFields = { code_challenge: field.text, code_challenge_method: field.text } as const;
