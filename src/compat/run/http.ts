/** A request as it goes out. */
export type HttpRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | FormData | Uint8Array<ArrayBuffer> | null;
};

/** An answer, read to its end. */
export type HttpAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The parsed body; undefined when it is no JSON. */
  readonly json: unknown;
};

/** Sends a request and reads the whole answer; redirects are answers too. Rejects when there is none. */
export async function exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  const answer = await fetch(request.url, {
    method: request.method,
    headers: request.headers,
    body: request.body,
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(20_000)]),
  });
  const text = await answer.text();
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text, json: parseJson(text) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: an expectation of a body fails on it, one of text does not ask.
    return undefined;
  }
}

/** Headers that may be shown: no keys, no tokens. */
export function withoutSecrets(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      /^(apikey|authorization|x-signature|set-cookie)$/i.test(name) ? '…' : value,
    ]),
  );
}

const SHOWN_BYTES = 4000;
const SECRETS = /"(access_token|refresh_token|token|signedURL|hashed_token|action_link|secret|uri)":"[^"]*"/g;

/** A body as it may be shown: cut, and without tokens. */
export function shownBody(text: string): string {
  const clean = text.replaceAll(SECRETS, '"$1":"…"');
  return clean.length > SHOWN_BYTES ? `${clean.slice(0, SHOWN_BYTES)}… (${clean.length} characters)` : clean;
}
