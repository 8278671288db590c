import { postForm, type SmsAccount } from './account.ts';
import type { SmsSender } from './channel.ts';

/** Textlocal. Upstream: internal/api/sms_provider/textlocal.go. */
export const textlocal = (account: SmsAccount): SmsSender => ({
  async send(phone, message) {
    const form = {
      sender: account.credential('sender'),
      apikey: account.credential('api_key'),
      message,
      numbers: phone,
    };
    const { json } = await postForm(account, 'https://api.textlocal.in/send', form, null);
    const errors = Array.isArray(json.errors) ? (json.errors as { message?: unknown }[]) : [];
    if (json.status !== 'success')
      throw new Error(`textlocal error: ${String(errors[0]?.message ?? 'refused')}`);
    const messages = Array.isArray(json.messages) ? (json.messages as { id?: unknown }[]) : [];
    return String(messages[0]?.id ?? '');
  },
});
