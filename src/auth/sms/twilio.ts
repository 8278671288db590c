import { postForm, type SmsAccount } from './account.ts';
import type { SmsSender } from './channel.ts';

const api = 'https://api.twilio.com/2010-04-01';
const verifyApi = 'https://verify.twilio.com/v2';

const authorization = (account: SmsAccount): string =>
  `Basic ${Buffer.from(`${account.credential('account_sid')}:${account.credential('auth_token')}`).toString('base64')}`;

type Answer = Awaited<ReturnType<typeof postForm>>;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function demandAccepted({ status, json }: Answer): void {
  if (status === 200 || status === 201) return;
  throw new Error(`${text(json.message)} More information: ${text(json.more_info)}`);
}

const isPhone = (sender: string): boolean =>
  /^[1-9][0-9]{1,14}$/.test(sender.replace(/^\+/, '').replaceAll(' ', ''));

/** What WhatsApp is told: a template that the account has approved, or the text itself. */
function whatsappForm(
  account: SmsAccount,
  phone: string,
  message: string,
  otp: string,
): Readonly<Record<string, string>> {
  const sender = account.credential('message_service_sid');
  const template = account.optional('content_sid');
  return {
    To: `whatsapp:+${phone}`,
    Channel: 'whatsapp',
    From: isPhone(sender) ? `whatsapp:${sender}` : sender,
    ...(template === null
      ? { Body: message }
      : { ContentSid: template, ContentVariables: `{"1": "${otp}"}` }),
  };
}

/** Twilio's Messages. Upstream: internal/api/sms_provider/twilio.go. */
export const twilio = (account: SmsAccount): SmsSender => ({
  async send(phone, message, channel, otp) {
    const url = `${api}/Accounts/${account.credential('account_sid')}/Messages.json`;
    const form =
      channel === 'whatsapp'
        ? whatsappForm(account, phone, message, otp)
        : {
            To: `+${phone}`,
            Channel: channel,
            From: account.credential('message_service_sid'),
            Body: message,
          };
    const answer = await postForm(account, url, form, authorization(account));
    demandAccepted(answer);
    const { status, sid, error_message, error_code } = answer.json;
    if (status === 'failed' || status === 'undelivered') {
      throw new Error(`twilio error: ${text(error_message)} ${text(error_code)} for message ${text(sid)}`);
    }
    return text(sid);
  },
});

/** Twilio's Verify, which makes and checks codes itself. Upstream: internal/api/sms_provider/twilio_verify.go. */
export const twilioVerify = (account: SmsAccount): SmsSender => ({
  async send(phone, _message, channel) {
    const url = `${verifyApi}/Services/${account.credential('message_service_sid')}/Verifications`;
    const form = { To: `+${phone}`, Channel: channel };
    const answer = await postForm(account, url, form, authorization(account));
    demandAccepted(answer);
    return text(answer.json.sid);
  },
  async verify(phone, code) {
    const url = `${verifyApi}/Services/${account.credential('message_service_sid')}/VerificationCheck`;
    const { status, json } = await postForm(
      account,
      url,
      { To: `+${phone}`, Code: code },
      authorization(account),
    );
    return (status === 200 || status === 201) && json.status === 'approved' && json.valid === true;
  },
});
