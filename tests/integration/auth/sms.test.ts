import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createSmsSender } from '../../../src/auth/sms/sender.ts';
import { loadConfig } from '../../../src/config/load.ts';

/*
 * The providers' servers, as one on the loopback interface that answers what a test wants.
 */
type Asked = { path: string; form: Record<string, string>; authorization: string | undefined };
const asked: Asked[] = [];
let answer: { status: number; body: unknown } = { status: 200, body: {} };
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += String(chunk);
  });
  request.on('end', () => {
    asked.push({
      path: request.url ?? '',
      form: Object.fromEntries(new URLSearchParams(body)),
      authorization: request.headers.authorization,
    });
    response.statusCode = answer.status;
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  });
});
await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', resolve);
});
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
afterAll(() => {
  server.close();
});

/** Sends what is meant for a provider to this machine, the host as the first part of the path. */
const local: typeof fetch = (input, init) => {
  const { host, pathname } = new URL(String(input));
  return fetch(`${origin}/${host}${pathname}`, init);
};

function sender(provider: string, env: Record<string, string>) {
  const { config } = loadConfig({
    projectDir: '/nonexistent',
    env: { GOTRUE_SMS_PROVIDER: provider, ...env },
    flags: {},
  });
  const made = createSmsSender({ config: config.auth, fetch: local });
  if (made === null) throw new TypeError('no sender');
  return made;
}

const twilioEnv = {
  GOTRUE_SMS_TWILIO_ACCOUNT_SID: 'AC1',
  GOTRUE_SMS_TWILIO_AUTH_TOKEN: 'token',
  GOTRUE_SMS_TWILIO_MESSAGE_SERVICE_SID: '15550001111',
};
const twilioAuth = `Basic ${Buffer.from('AC1:token').toString('base64')}`;

beforeEach(() => {
  asked.length = 0;
});

describe('Twilio', () => {
  it('is sent a text message', async () => {
    answer = { status: 201, body: { sid: 'SM1', status: 'queued' } };
    const id = await sender('twilio', twilioEnv).send('15551234567', 'Your code is 123456', 'sms', '123456');
    expect(id).toBe('SM1');
    expect(asked).toEqual([
      {
        path: '/api.twilio.com/2010-04-01/Accounts/AC1/Messages.json',
        form: { To: '+15551234567', Channel: 'sms', From: '15550001111', Body: 'Your code is 123456' },
        authorization: twilioAuth,
      },
    ]);
  });

  it('is sent a WhatsApp message, as a template where there is one', async () => {
    answer = { status: 200, body: { sid: 'SM2', status: 'queued' } };
    await sender('twilio', twilioEnv).send('15551234567', 'Your code', 'whatsapp', '123456');
    expect(asked[0]?.form).toEqual({
      To: 'whatsapp:+15551234567',
      Channel: 'whatsapp',
      From: 'whatsapp:15550001111',
      Body: 'Your code',
    });
    const template = {
      ...twilioEnv,
      GOTRUE_SMS_TWILIO_CONTENT_SID: 'HX1',
      GOTRUE_SMS_TWILIO_MESSAGE_SERVICE_SID: 'MG1',
    };
    await sender('twilio', template).send('15551234567', 'Your code', 'whatsapp', '123456');
    expect(asked[1]?.form).toEqual({
      To: 'whatsapp:+15551234567',
      Channel: 'whatsapp',
      From: 'MG1',
      ContentSid: 'HX1',
      ContentVariables: '{"1": "123456"}',
    });
  });

  it.each([
    [
      400,
      { code: 21211, message: "The 'To' number is not valid.", more_info: 'https://t.test/21211' },
      "The 'To' number is not valid. More information: https://t.test/21211",
    ],
    [
      201,
      { sid: 'SM3', status: 'failed', error_message: 'no', error_code: '30008' },
      'twilio error: no 30008 for message SM3',
    ],
  ])('that answers %i is an error in its words', async (status, body, message) => {
    answer = { status, body };
    await expect(sender('twilio', twilioEnv).send('1', 'm', 'sms', '1')).rejects.toThrow(message);
  });
});

describe('Twilio Verify', () => {
  const verifyEnv = {
    GOTRUE_SMS_TWILIO_VERIFY_ACCOUNT_SID: 'AC1',
    GOTRUE_SMS_TWILIO_VERIFY_AUTH_TOKEN: 'token',
    GOTRUE_SMS_TWILIO_VERIFY_MESSAGE_SERVICE_SID: 'VA1',
  };

  it('sends and checks codes of its own', async () => {
    const made = sender('twilio_verify', verifyEnv);
    answer = { status: 201, body: { sid: 'VE1', status: 'pending' } };
    expect(await made.send('15551234567', 'ignored', 'sms', '123456')).toBe('VE1');
    answer = { status: 200, body: { status: 'approved', valid: true } };
    expect(await made.verify?.('15551234567', '999999')).toBe(true);
    expect(asked).toEqual([
      {
        path: '/verify.twilio.com/v2/Services/VA1/Verifications',
        form: { To: '+15551234567', Channel: 'sms' },
        authorization: twilioAuth,
      },
      {
        path: '/verify.twilio.com/v2/Services/VA1/VerificationCheck',
        form: { To: '+15551234567', Code: '999999' },
        authorization: twilioAuth,
      },
    ]);
  });

  it.each([
    [200, { status: 'pending', valid: false }],
    [200, { status: 'approved', valid: false }],
    [404, { message: 'not found' }],
  ])('refuses a code that it answers with %i %j', async (status, body) => {
    answer = { status, body };
    expect(await sender('twilio_verify', verifyEnv).verify?.('1', '2')).toBe(false);
  });
});

describe('MessageBird', () => {
  const env = { GOTRUE_SMS_MESSAGEBIRD_ACCESS_KEY: 'key', GOTRUE_SMS_MESSAGEBIRD_ORIGINATOR: 'Us' };

  it('is sent a text message', async () => {
    answer = { status: 201, body: { id: 'mb1', recipients: { totalSentCount: 1 } } };
    expect(await sender('messagebird', env).send('15551234567', 'Code 1', 'sms', '1')).toBe('mb1');
    expect(asked).toEqual([
      {
        path: '/rest.messagebird.com/messages',
        form: {
          originator: 'Us',
          body: 'Code 1',
          recipients: '15551234567',
          type: 'sms',
          datacoding: 'unicode',
        },
        authorization: 'AccessKey key',
      },
    ]);
  });

  it.each([
    [
      422,
      { errors: [{ code: 9, description: 'no (correct) recipients found', parameter: 'recipients' }] },
      'no (correct) recipients found',
    ],
    [201, { id: 'x', recipients: { totalSentCount: 0 } }, 'messagebird error: total sent count is 0'],
  ])('that answers %i is an error in its words', async (status, body, message) => {
    answer = { status, body };
    await expect(sender('messagebird', env).send('1', 'm', 'sms', '1')).rejects.toThrow(message);
  });
});

describe('Vonage', () => {
  const env = {
    GOTRUE_SMS_VONAGE_API_KEY: 'k',
    GOTRUE_SMS_VONAGE_API_SECRET: 's',
    GOTRUE_SMS_VONAGE_FROM: 'Us',
  };

  it('is sent a text message, as Unicode where it has to be', async () => {
    answer = { status: 200, body: { messages: [{ 'message-id': 'v1', status: '0' }] } };
    const made = sender('vonage', env);
    expect(await made.send('15551234567', 'Code 1', 'sms', '1')).toBe('v1');
    await made.send('15551234567', 'Código 1', 'sms', '1');
    const form = { from: 'Us', to: '15551234567', text: 'Code 1', api_key: 'k', api_secret: 's' };
    expect(asked[0]).toEqual({ path: '/rest.nexmo.com/sms/json', form, authorization: undefined });
    expect(asked[1]?.form).toEqual({ ...form, text: 'Código 1', type: 'unicode' });
  });

  it.each([
    [
      { messages: [{ 'message-id': 'v2', status: '4', 'error-text': 'Bad Credentials' }] },
      'vonage error: Bad Credentials (status: 4) for message v2',
    ],
    [{ messages: [] }, 'vonage error: Internal Error'],
    ['<html>', 'vonage error: Internal Error'],
  ])('that answers %j is an error', async (body, message) => {
    answer = { status: 200, body };
    await expect(sender('vonage', env).send('1', 'm', 'sms', '1')).rejects.toThrow(message);
  });
});

describe('Textlocal', () => {
  const env = { GOTRUE_SMS_TEXTLOCAL_API_KEY: 'k', GOTRUE_SMS_TEXTLOCAL_SENDER: 'Us' };

  it('is sent a text message', async () => {
    answer = { status: 200, body: { status: 'success', messages: [{ id: 't1' }] } };
    expect(await sender('textlocal', env).send('15551234567', 'Code 1', 'sms', '1')).toBe('');
    expect(asked).toEqual([
      {
        path: '/api.textlocal.in/send',
        form: { sender: 'Us', apikey: 'k', message: 'Code 1', numbers: '15551234567' },
        authorization: undefined,
      },
    ]);
  });

  it.each([
    [
      { status: 'failure', errors: [{ code: 4, message: 'No recipients' }] },
      'textlocal error: No recipients (code: 4) message ',
    ],
    [
      { status: 'failure', errors: [{ code: 80, message: 'Invalid template' }] },
      'textlocal error: Invalid template (code: 80) template message: m',
    ],
  ])('that answers %j is an error', async (body, message) => {
    answer = { status: 200, body };
    await expect(sender('textlocal', env).send('1', 'm', 'sms', '1')).rejects.toThrow(message);
  });
});

describe('an account', () => {
  it('without its credentials fails the message', async () => {
    await expect(sender('twilio', {}).send('1', 'm', 'sms', '1')).rejects.toThrow('missing twilio');
    expect(asked).toEqual([]);
  });
});
