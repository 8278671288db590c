import nodemailer from 'nodemailer';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { startInbox } from '../../../src/inbox/inbox.ts';

const inbox = await startInbox({ host: '127.0.0.1', port: 0, smtpPort: 0 });
const transport = nodemailer.createTransport({ host: '127.0.0.1', port: inbox.smtpPort, secure: false });
afterAll(async () => {
  transport.close();
  await inbox.close();
});

const origin = `http://127.0.0.1:${inbox.port}`;
const call = async (method: string, path: string, body?: unknown) => {
  const reply = await fetch(origin + path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await reply.text();
  const isJson = reply.headers.get('content-type')?.includes('json') === true;
  return { status: reply.status, text, json: isJson ? JSON.parse(text) : null, headers: reply.headers };
};
const send = (to: string, subject: string, extra: object = {}) =>
  transport.sendMail({
    from: '"The App" <app@example.com>',
    to,
    subject,
    html: '<h1>Hello &amp; welcome</h1><p>Your code is 012345</p>',
    ...extra,
  });

beforeEach(async () => {
  await call('DELETE', '/api/v1/messages', {});
});

describe('the API of Mailpit', () => {
  it('lists mails, newest first, and counts them', async () => {
    await send('a@example.com', 'first');
    await send('b@example.com', 'second ünïcode 🎉');
    const { json } = await call('GET', '/api/v1/messages');
    expect(json).toMatchObject({
      total: 2,
      unread: 2,
      count: 2,
      messages: [
        {
          Subject: 'second ünïcode 🎉',
          From: { Name: 'The App', Address: 'app@example.com' },
          To: [{ Name: '', Address: 'b@example.com' }],
          Read: false,
          Attachments: 0,
          Snippet: expect.stringContaining('Hello & welcome'),
        },
        { Subject: 'first' },
      ],
    });
    expect((await call('GET', '/api/v1/messages?limit=1&start=1')).json.messages).toMatchObject([
      { Subject: 'first' },
    ]);
  });

  it('tells a mail whole, and knows then that it was read', async () => {
    await send('a@example.com', 'whole', {
      text: 'plain',
      attachments: [{ filename: 'a.txt', content: 'attached' }],
    });
    const { json } = await call('GET', '/api/v1/message/latest');
    expect(json).toMatchObject({
      Subject: 'whole',
      Text: expect.stringContaining('plain'),
      HTML: expect.stringContaining('<h1>Hello'),
      Attachments: [{ FileName: 'a.txt', Size: 8 }],
    });
    const part = await call('GET', `/api/v1/message/${json.ID}/part/${json.Attachments[0].PartID}`);
    expect(part.text).toBe('attached');
    expect((await call('GET', `/api/v1/message/${json.ID}/raw`)).text).toContain('Subject: whole');
    expect((await call('GET', '/api/v1/messages')).json).toMatchObject({
      unread: 0,
      messages: [{ Read: true }],
    });
  });

  it.each([
    ['to:"a@example.com"', ['to a', 'both']],
    ['subject:both', ['both']],
    ['-subject:both', ['to b', 'to a']],
    ['is:unread from:app', ['to b', 'to a', 'both']],
    ['nothing of the kind', []],
  ])('finds %s', async (query, subjects) => {
    await send('a@example.com, b@example.com', 'both');
    await send('a@example.com', 'to a');
    await send('b@example.com', 'to b');
    const { json } = await call('GET', `/api/v1/search?query=${encodeURIComponent(query)}`);
    expect(json.messages.map((mail: { Subject: string }) => mail.Subject)).toEqual(subjects);
  });

  it('deletes mails by id, by search and all', async () => {
    for (const subject of ['one', 'two', 'three']) await send('a@example.com', subject);
    const { json } = await call('GET', '/api/v1/messages');
    await call('DELETE', '/api/v1/messages', { IDs: [json.messages[0].ID] });
    await call('DELETE', '/api/v1/search?query=subject%3Atwo');
    expect((await call('GET', '/api/v1/messages')).json.messages).toMatchObject([{ Subject: 'one' }]);
    expect((await call('GET', `/api/v1/message/${json.messages[0].ID}`)).status).toBe(404);
  });
});

it('the API of Inbucket reads the same mails', async () => {
  await send('ann@example.com', 'older');
  await send('ann@example.com', 'newer');
  await send('bob@example.com', 'other');
  const { json } = await call('GET', '/api/v1/mailbox/ann');
  expect(json).toMatchObject([
    { mailbox: 'ann', subject: 'older', seen: false },
    { mailbox: 'ann', subject: 'newer' },
  ]);
  const mail = await call('GET', `/api/v1/mailbox/ann/${json[1].id}`);
  expect(mail.json).toMatchObject({ subject: 'newer', body: { html: expect.stringContaining('012345') } });
  await call('DELETE', '/api/v1/mailbox/ann');
  expect((await call('GET', '/api/v1/mailbox/ann')).json).toEqual([]);
  expect((await call('GET', '/api/v1/mailbox/bob')).json).toHaveLength(1);
});

describe('the page', () => {
  it('shows mails without letting them run anything', async () => {
    const page = await call('GET', '/');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.text).toMatch(/sandbox/);
    expect(page.text).toMatch(/prefers-color-scheme/);
  });

  it('is alone on its ways', async () => {
    expect((await call('GET', '/nowhere')).status).toBe(404);
    expect((await call('DELETE', '/api/v1/messages', 'x'.repeat(2_000_000))).status).toBeGreaterThanOrEqual(
      400,
    );
  });
});

it('old mails make room for new ones', async () => {
  const many = nodemailer.createTransport({ host: '127.0.0.1', port: inbox.smtpPort, pool: true });
  await Promise.all(
    Array.from({ length: 510 }, (_, i) =>
      many.sendMail({ from: 'app@example.com', to: 'a@example.com', subject: `${i}`, text: 'x' }),
    ),
  );
  many.close();
  expect((await call('GET', '/api/v1/messages?limit=1')).json.total).toBe(500);
});
