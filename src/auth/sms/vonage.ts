import { postForm, type SmsAccount } from './account.ts';
import type { SmsSender } from './channel.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are ASCII, too
const isAscii = (text: string): boolean => /^[\u0000-\u007f]*$/.test(text);

/** Vonage. Upstream: internal/api/sms_provider/vonage.go. */
export const vonage = (account: SmsAccount): SmsSender => ({
  async send(phone, message) {
    const form = {
      from: account.credential('from'),
      to: phone,
      text: message,
      api_key: account.credential('api_key'),
      api_secret: account.credential('api_secret'),
      ...(isAscii(message) ? {} : { type: 'unicode' }),
    };
    const { json } = await postForm(account, 'https://rest.nexmo.com/sms/json', form, null);
    const [first] = Array.isArray(json.messages) ? (json.messages as Record<string, unknown>[]) : [];
    if (first === undefined) throw new Error('vonage error: Internal Error');
    const id = String(first['message-id'] ?? '');
    if (first.status !== '0') {
      const status = String(first.status ?? '');
      throw new Error(
        `vonage error: ${String(first['error-text'] ?? '')} (status: ${status}) for message ${id}`,
      );
    }
    return id;
  },
});
