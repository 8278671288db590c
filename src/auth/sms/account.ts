/** Everything that a provider needs: outgoing requests, and the account's credentials by name. */
export type SmsAccount = {
  readonly fetch: typeof fetch;
  /** Time that the provider gets to answer. */
  readonly timeoutMs: number;
  /** A credential; throws `Error` when it is missing. */
  readonly credential: (name: string) => string;
  /** A setting that may be missing. */
  readonly optional: (name: string) => string | null;
};

/** Posts a form and yields status and JSON of the answer; an answer that is not JSON is empty. */
export async function postForm(
  account: SmsAccount,
  url: string,
  form: Readonly<Record<string, string>>,
  authorization: string | null,
): Promise<{ readonly status: number; readonly json: Readonly<Record<string, unknown>> }> {
  const reply = await account.fetch(url, {
    method: 'POST',
    body: new URLSearchParams(form),
    signal: AbortSignal.timeout(account.timeoutMs),
    headers: authorization === null ? {} : { authorization },
  });
  const text = await reply.text();
  try {
    return { status: reply.status, json: JSON.parse(text) as Record<string, unknown> };
  } catch {
    return { status: reply.status, json: {} };
  }
}
