import { postForm, type SmsAccount } from './account.ts';
import type { SmsSender } from './channel.ts';

/** Whether a text needs more than the characters of the GSM alphabet. */
const needsUnicode = (text: string): boolean => /[^\x20-\x7e\r\n]/.test(text);

/** Vonage. Upstream: internal/api/sms_provider/vonage.go. */
export const vonage = (account: SmsAccount): SmsSender => ({
  async send(phone, message) {
    const form = {
      from: account.credential('from'),
      to: phone,
      text: message,
      api_key: account.credential('api_key'),
      api_secret: account.credential('api_secret'),
      ...(needsUnicode(message) ? { type: 'unicode' } : {}),
    };
    const { json } = await postForm(account, 'https://rest.nexmo.com/sms/json', form, null);
    const [first] = Array.isArray(json.messages) ? (json.messages as Record<string, unknown>[]) : [];
    if (first?.status !== '0') throw new Error(`vonage error: ${String(first?.['error-text'] ?? 'refused')}`);
    return String(first['message-id'] ?? '');
  },
});
