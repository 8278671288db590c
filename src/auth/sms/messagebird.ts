import { postForm, type SmsAccount } from './account.ts';
import type { SmsSender } from './channel.ts';

/** MessageBird. Upstream: internal/api/sms_provider/messagebird.go. */
export const messagebird = (account: SmsAccount): SmsSender => ({
  async send(phone, message) {
    const form = {
      originator: account.credential('originator'),
      body: message,
      recipients: phone,
      type: 'sms',
      datacoding: 'unicode',
    };
    const authorization = `AccessKey ${account.credential('access_key')}`;
    const { status, json } = await postForm(
      account,
      'https://rest.messagebird.com/messages',
      form,
      authorization,
    );
    const errors = Array.isArray(json.errors) ? (json.errors as { description?: unknown }[]) : [];
    if (status >= 300) throw new Error(`messagebird error: ${String(errors[0]?.description ?? status)}`);
    return String(json.id ?? '');
  },
});
