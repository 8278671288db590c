import { postForm, type SmsAccount } from './account.ts';
import type { SmsSender } from './channel.ts';

const api = 'https://api.twilio.com/2010-04-01';
const verifyApi = 'https://verify.twilio.com/v2';

const authorization = (account: SmsAccount): string =>
  `Basic ${Buffer.from(`${account.credential('account_sid')}:${account.credential('auth_token')}`).toString('base64')}`;

type Answer = Awaited<ReturnType<typeof postForm>>;

function demandAccepted({ status, json }: Answer): void {
  if (status === 200 || status === 201) return;
  throw new Error(`twilio error: ${String(json.message ?? status)} ${String(json.more_info ?? '')}`.trim());
}

/** Twilio's Messages. Upstream: internal/api/sms_provider/twilio.go. */
export const twilio = (account: SmsAccount): SmsSender => ({
  async send(phone, message, channel) {
    const sender = account.credential('message_service_sid');
    const isPhone = /^\+?\d+$/.test(sender);
    const prefix = channel === 'whatsapp' ? 'whatsapp:' : '';
    const from =
      channel === 'whatsapp' && isPhone ? `${prefix}${sender.startsWith('+') ? '' : '+'}${sender}` : sender;
    const url = `${api}/Accounts/${account.credential('account_sid')}/Messages.json`;
    const form = { To: `${prefix}+${phone}`, Channel: channel, From: from, Body: message };
    const answer = await postForm(account, url, form, authorization(account));
    demandAccepted(answer);
    if (answer.json.status === 'failed' || answer.json.status === 'undelivered') {
      throw new Error(`twilio error: ${String(answer.json.error_message ?? 'message failed')}`);
    }
    return String(answer.json.sid ?? '');
  },
});

/** Twilio's Verify, which makes and checks codes itself. Upstream: internal/api/sms_provider/twilio_verify.go. */
export const twilioVerify = (account: SmsAccount): SmsSender => ({
  async send(phone, _message, channel) {
    const url = `${verifyApi}/Services/${account.credential('message_service_sid')}/Verifications`;
    const form = { To: `+${phone}`, Channel: channel };
    const answer = await postForm(account, url, form, authorization(account));
    demandAccepted(answer);
    return String(answer.json.sid ?? '');
  },
  async verify(phone, code) {
    const url = `${verifyApi}/Services/${account.credential('message_service_sid')}/VerificationCheck`;
    const answer = await postForm(account, url, { To: `+${phone}`, Code: code }, authorization(account));
    return (answer.status === 200 || answer.status === 201) && answer.json.status === 'approved';
  },
});
