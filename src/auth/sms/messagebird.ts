import { postForm, type SmsAccount } from './account.ts';
import type { SmsSender } from './channel.ts';

const url = 'https://rest.messagebird.com/messages';
const refusals: readonly number[] = [400, 401, 403, 422];

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
    const { status, json } = await postForm(account, url, form, authorization);
    if (refusals.includes(status)) {
      const errors = Array.isArray(json.errors) ? (json.errors as { description?: unknown }[]) : [];
      throw new Error(String(errors[0]?.description ?? `messagebird error: ${status}`));
    }
    const recipients = (json.recipients ?? {}) as { totalSentCount?: unknown };
    if (!recipients.totalSentCount) throw new Error('messagebird error: total sent count is 0');
    return String(json.id ?? '');
  },
});
