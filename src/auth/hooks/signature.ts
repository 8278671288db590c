import { createHmac } from 'node:crypto';

/** Keys of a hook's secrets: `v1,whsec_<base64>`, several separated by `|`. Throws `RangeError` for any other form. */
export function hookKeys(secrets: string | readonly string[]): readonly Buffer[] {
  const list = typeof secrets === 'string' ? secrets.split('|') : secrets;
  return list
    .map((secret) => secret.trim())
    .filter((secret) => secret !== '')
    .map((secret) => {
      const encoded = /^v1,whsec_([A-Za-z0-9+/=]+)$/.exec(secret)?.[1];
      if (encoded === undefined) throw new RangeError('a hook secret must have the form v1,whsec_<base64>');
      return Buffer.from(encoded, 'base64');
    });
}

/** The `webhook-signature` of a message, one part for each key, as standard-webhooks defines it. */
export const signWebhook = (
  keys: readonly Buffer[],
  id: string,
  timestampSeconds: number,
  body: string,
): string =>
  keys
    .map((key) => createHmac('sha256', key).update(`${id}.${timestampSeconds}.${body}`).digest('base64'))
    .map((signature) => `v1,${signature}`)
    .join(', ');
