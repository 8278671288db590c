/** Members of a redirect's query or fragment. */
export type RedirectParams = Readonly<Record<string, string>>;

const encode = (params: RedirectParams): string => {
  const sorted = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));
  return new URLSearchParams(sorted as [string, string][]).toString();
};

/** A URL with members added to its query, in order of name; its fragment goes last. */
export function withQuery(url: string, params: RedirectParams): string {
  const [beforeFragment = '', fragment] = split(url, '#');
  const [path = '', query] = split(beforeFragment, '?');
  const merged = Object.fromEntries(new URLSearchParams(query ?? ''));
  const text = encode({ ...merged, ...params });
  return `${path}${text === '' ? '' : `?${text}`}${fragment === undefined ? '' : `#${fragment}`}`;
}

/** A URL with members as its fragment; `sb` tells clients whose redirect it is. */
export function withFragment(url: string, params: RedirectParams): string {
  const [beforeFragment = ''] = split(url, '#');
  return `${beforeFragment}#${encode({ ...params, sb: '' })}`;
}

/** A URL with tokens appended as a fragment, even when it has one. */
export const withTokens = (url: string, params: RedirectParams): string =>
  `${url}#${encode({ ...params, sb: '' })}`;

function split(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** The `error` member that stands for a status in redirects; other statuses have none. */
const oauthErrors: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  401: 'unauthorized_client',
  403: 'access_denied',
  500: 'server_error',
  503: 'temporarily_unavailable',
};

/** Members that tell of an error by redirect. */
export function errorParams(status: number, code: string, description: string): RedirectParams {
  const error = oauthErrors[status];
  return { ...(error === undefined ? {} : { error }), error_code: code, error_description: description };
}
