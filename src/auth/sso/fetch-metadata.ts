import type { AuthContext } from '../context.ts';
import { ssoFailure } from '../failures/sso.ts';

const timeoutMs = 10_000;
const maxBytes = 2 * 1024 * 1024;

/** Fetches an identity provider's metadata; refuses with `saml_metadata_fetch_failed` when it cannot be had. */
export async function fetchMetadata(context: Pick<AuthContext, 'fetch'>, url: string): Promise<string> {
  let reply: Response;
  let text: string;
  try {
    reply = await context.fetch(url, {
      signal: AbortSignal.timeout(timeoutMs),
      headers: { accept: 'application/xml;charset=UTF-8', 'accept-charset': 'UTF-8' },
    });
    text = await reply.text();
  } catch (cause) {
    const failure = ssoFailure.metadataUnreachable(url);
    failure.cause = cause;
    throw failure;
  }
  if (reply.status !== 200) throw ssoFailure.metadataFetch(reply.status, url);
  if (text.length > maxBytes) throw ssoFailure.invalid('SAML Metadata is too large');
  return text;
}
