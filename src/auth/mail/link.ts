/** What a link in a mail carries. */
export type LinkParams = { readonly token: string; readonly type: string; readonly redirectTo: string };

/**
 * A link that verifies its token. The redirect is encoded only when it would break the query, as upstream does.
 * Upstream: internal/mailer/templatemailer (getPath, encodeRedirectURL).
 */
export function verificationLink(externalUrl: string, path: string | undefined, params: LinkParams): string {
  const base = path === undefined ? `${externalUrl}/verify` : new URL(path, `${externalUrl}/`).href;
  const redirect = /[&=#]/.test(params.redirectTo)
    ? encodeURIComponent(params.redirectTo)
    : params.redirectTo;
  return `${base}?token=${params.token}&type=${params.type}&redirect_to=${redirect}`;
}
