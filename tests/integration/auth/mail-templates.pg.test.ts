import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';
import { writeProject } from '../../support/project.ts';

/*
 * A project with mails of its own, as `supabase init` and its documents have people write them.
 */
const projectDir = await mkdtemp(join(tmpdir(), 'ownbase-project-'));
await writeProject(projectDir, {
  'supabase/config.toml': `
    [auth]
    site_url = "https://app.example.com"
    additional_redirect_urls = ["https://app.example.com/**"]
    [auth.email]
    enable_confirmations = true
    max_frequency = "1ns"
    [auth.email.template.confirmation]
    subject = "Welcome to Example, {{ .Email }}"
    content_path = "./supabase/templates/confirmation.html"
    [auth.email.template.recovery]
    subject = "Your new password"
    content_path = "./templates/recovery.html"
    [auth.email.template.magic_link]
    content_path = "./supabase/templates/missing.html"
    [auth.email.template.invite]
    content_path = "./supabase/templates/broken.html"
    [auth.email.notification.password_changed]
    enabled = true
    subject = "Your password was changed"
    content_path = "./supabase/templates/changed.html"
  `,
  'supabase/templates/confirmation.html':
    '<p>Hello {{ .Data.name }}, <a href="{{ .SiteURL }}/auth/confirm?token_hash={{ .TokenHash }}&type=email&next={{ .RedirectTo }}">confirm</a> or type {{ .Token }}.</p>',
  'supabase/templates/recovery.html':
    '<a href="{{ .ConfirmationURL }}">reset</a>{{ if eq .Email "ann@example.com" }} as Ann{{ end }}',
  'supabase/templates/broken.html': '<a href="{{ .ConfirmationURL ">join</a>',
  'supabase/templates/changed.html': '<p>The password of {{ .Email }} was changed.</p>',
});
afterAll(() => rm(projectDir, { recursive: true, force: true }));
const auth = await startAuth({ projectDir });

const email = 'ann@example.com';
const password = 'correct horse';
const post = (path: string, body: object) => auth.call('POST', path, { body });
const faults = () => auth.observed.flatMap((seen) => (seen.kind === 'fault' ? [seen.message] : []));

describe('a project with mails of its own', () => {
  it('writes them with subject and body of its files, and the link of its own page works', async () => {
    const next = 'https://app.example.com/welcome?a=1';
    await post(`/signup?redirect_to=${encodeURIComponent(next)}`, {
      email,
      password,
      data: { name: 'Ann & Co' },
    });
    const mail = await auth.nextMail(email);
    expect(mail.subject).toBe('Welcome to Example, ann@example.com');
    expect(mail.html).toContain('Hello Ann &amp; Co,');
    expect(mail.html).toMatch(/or type \d{6}\./);
    expect(mail.link.origin + mail.link.pathname).toBe('https://app.example.com/auth/confirm');
    expect(mail.link.searchParams.get('next')).toBe(next);
    const verified = await post('/verify', {
      type: mail.link.searchParams.get('type'),
      token_hash: mail.link.searchParams.get('token_hash'),
    });
    expect(verified.json.user.email).toBe(email);
  });

  it('finds files that are named from within its folder of configuration', async () => {
    await post('/recover', { email });
    const mail = await auth.nextMail(email);
    expect([mail.subject, mail.html]).toEqual(['Your new password', expect.stringContaining('as Ann')]);
    const { status, headers } = await auth.call('GET', `/verify${mail.link.search}`);
    expect([status, headers.get('location')]).toEqual([303, expect.stringContaining('#access_token=')]);
  });

  it('tells of changes where it asks for that', async () => {
    const { json } = await post('/token?grant_type=password', { email, password });
    await auth.call('PUT', '/user', { token: json.access_token, body: { password: 'another horse' } });
    const mail = await auth.nextMail(email);
    expect([mail.subject, mail.html.trim()]).toEqual([
      'Your password was changed',
      '<p>The password of ann@example.com was changed.</p>',
    ]);
  });

  it('whose file is not there sends the built-in mail, and hears of it', async () => {
    await post('/magiclink', { email });
    const { link } = await auth.nextMail(email);
    expect(link.pathname).toBe('/auth/v1/verify');
    expect(faults()).toContain('the mail body of magic_link cannot be read');
  });

  it('whose template cannot be read sends the built-in mail, and hears of it', async () => {
    await auth.call('POST', '/invite', { token: auth.serviceKey, body: { email: 'guest@example.com' } });
    const { link } = await auth.nextMail('guest@example.com');
    expect(link.searchParams.get('type')).toBe('invite');
    expect(faults()).toContain('the mail template of invite is wrong');
  });

  it('reads a file again after some minutes', async () => {
    await writeProject(projectDir, { 'supabase/templates/recovery.html': '<p>anew</p>' });
    auth.clock.advance(601);
    await post('/recover', { email });
    expect((await auth.nextMail(email)).html).toContain('anew');
  });
});
