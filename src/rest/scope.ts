import type { IncomingHttpHeaders } from 'node:http';
import type { HttpRequest } from '../http/exchange.ts';
import type { Isolation, RequestScope, Settings } from '../pg/session.ts';
import { quoteIdent } from '../pg/sql/ident.ts';
import type { RestConfig } from './config/model.ts';
import type { Authentication } from './jwt/authenticate.ts';
import type { ApiRequest } from './parse/api-request.ts';
import type { ActionPlan } from './plan/model.ts';

/**
 * The settings that a request's transaction runs under, role apart.
 *
 * Upstream: PostgREST/postgrest src/PostgREST/Query/PreQuery.hs.
 */
export function requestScope(
  plan: ActionPlan,
  request: ApiRequest,
  http: HttpRequest,
  who: Authentication,
  config: RestConfig,
): RequestScope {
  const { timezone } = request.preferences;
  const routine = plan.kind === 'call' ? plan.routine : null;
  const settings: Settings = [
    ['search_path', searchPath(request.schema, config)],
    ...(config.roleSettings.get(who.role) ?? []),
    ['request.jwt.claims', who.claimsText],
    ['request.method', http.method],
    ['request.path', fromLatin1(http.path)],
    ['request.headers', headersJson(http.headers)],
    ['request.cookies', cookiesJson(http.headers.cookie)],
    ...(timezone === null ? [] : [['timezone', timezone] as const]),
    ...(routine?.settings ?? []),
    ...config.appSettings,
  ];
  return {
    role: who.role,
    settings,
    isolation: routine?.isolation ?? isolationOf(config, who.role),
    readOnly: isReadOnly(plan),
    onGone: http.onGone,
  };
}

/** What is the server's default anyway need not be asked for. */
function isolationOf(config: RestConfig, role: string): Isolation | undefined {
  return config.roleIsolation.get(role);
}

const isReadOnly = (plan: ActionPlan): boolean =>
  plan.kind !== 'mutate' && (plan.kind !== 'call' || plan.isReadOnly);

const searchPaths = new WeakMap<RestConfig, Map<string, string>>();

/** The schema of the request and those that every request sees besides; always the same string for the same ones. */
function searchPath(schema: string, config: RestConfig): string {
  const paths = searchPaths.get(config) ?? new Map<string, string>();
  const known = paths.get(schema);
  if (known !== undefined) return known;
  const path = [schema, ...config.extraSearchPath].map(quoteIdent).join(', ');
  searchPaths.set(config, paths.set(schema, path));
  return path;
}

/** Text from the request's head holds one byte in each character; the database takes UTF-8. */
function fromLatin1(text: string): string {
  for (let i = 0; i < text.length; i++)
    if (text.charCodeAt(i) > 127) return Buffer.from(text, 'latin1').toString();
  return text;
}

/** Headers by their name in lower case, without the cookies. */
function headersJson(headers: IncomingHttpHeaders): string {
  const texts: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (name !== 'cookie' && value !== undefined)
      texts[name] = fromLatin1(typeof value === 'string' ? value : value.join(', '));
  }
  return JSON.stringify(texts);
}

function cookiesJson(header: string | undefined): string {
  if (header === undefined) return '{}';
  const cookies = header.split(';').map((part) => {
    const [name = '', ...value] = part.split('=');
    return [name.trim(), fromLatin1(value.join('=').trim())] as const;
  });
  return JSON.stringify(Object.fromEntries(cookies.filter(([name]) => name !== '')));
}
