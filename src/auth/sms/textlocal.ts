import { postForm, type SmsAccount } from './account.ts';
import type { SmsSender } from './channel.ts';

/** The text does not fit any template that the account has registered. */
const templateError = 80;

/** Textlocal, which gives no id for a message that was taken. Upstream: internal/api/sms_provider/textlocal.go. */
export const textlocal = (account: SmsAccount): SmsSender => ({
  async send(phone, message) {
    const form = {
      sender: account.credential('sender'),
      apikey: account.credential('api_key'),
      message,
      numbers: phone,
    };
    const { json } = await postForm(account, 'https://api.textlocal.in/send', form, null);
    if (json.status === 'success') return '';
    const [error] = Array.isArray(json.errors)
      ? (json.errors as { code?: unknown; message?: unknown }[])
      : [];
    const [first] = Array.isArray(json.messages) ? (json.messages as { id?: unknown }[]) : [];
    const about = `textlocal error: ${String(error?.message ?? '')} (code: ${String(error?.code ?? '')})`;
    throw new Error(
      error?.code === templateError
        ? `${about} template message: ${message}`
        : `${about} message ${String(first?.id ?? '')}`,
    );
  },
});
