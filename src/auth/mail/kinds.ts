/** Kinds of mail by the name that config.toml gives them; notifications are named under their own table there. */
export type MailKind =
  | 'invite'
  | 'confirmation'
  | 'recovery'
  | 'email_change'
  | 'magic_link'
  | 'reauthentication'
  | NotificationKind;

/** Mails that tell of a change that has happened. */
export type NotificationKind =
  | 'password_changed'
  | 'email_changed'
  | 'phone_changed'
  | 'identity_linked'
  | 'identity_unlinked'
  | 'mfa_factor_enrolled'
  | 'mfa_factor_unenrolled';

/** Subject and HTML body, both templates. */
export type MailTemplate = { readonly subject: string; readonly html: string };

/** A body that is a heading, paragraphs and perhaps a button. */
const body = (
  heading: string,
  paragraphs: readonly string[],
  button: string | null = null,
): string => `<!doctype html>
<html lang="en">
<body style="margin:0;padding:32px 16px;background:#f6f7f9;font-family:system-ui,-apple-system,'Segoe UI',sans-serif;color:#1c2024">
<div style="max-width:480px;margin:0 auto;padding:32px;background:#ffffff;border:1px solid #e3e6ea;border-radius:10px">
<h1 style="margin:0 0 16px;font-size:20px">${heading}</h1>
${paragraphs.map((text) => `<p style="margin:0 0 16px;line-height:1.5">${text}</p>`).join('\n')}
${button === null ? '' : `<p style="margin:24px 0"><a href="{{ .ConfirmationURL }}" style="display:inline-block;padding:10px 18px;background:#1a7f5a;color:#ffffff;text-decoration:none;border-radius:6px">${button}</a></p>\n`}</div>
</body>
</html>
`;

const code = 'Or enter this code: <strong style="font-size:18px;letter-spacing:2px">{{ .Token }}</strong>';
const notYou = 'If this was not you, get in touch with support right away.';
const ignore = 'If you did not ask for this, nothing happens when you ignore it.';

/** The built-in mails; config.toml may replace each subject and body. */
export const builtInMails: Readonly<Record<MailKind, MailTemplate>> = {
  confirmation: {
    subject: 'Confirm your email address',
    html: body(
      'Welcome',
      ['One click confirms {{ .Email }} and completes your sign-up.', code, ignore],
      'Confirm address',
    ),
  },
  invite: {
    subject: "You've been invited",
    html: body('An invitation for you', ['Somebody invited you to {{ .SiteURL }}.'], 'Accept'),
  },
  magic_link: {
    subject: 'Your sign-in link',
    html: body('Sign in', ['The link works once and for a short time only.', code, ignore], 'Sign in'),
  },
  recovery: {
    subject: 'Reset your password',
    html: body(
      'A new password',
      ['Choose a new password for {{ .Email }}.', code, ignore],
      'Choose a password',
    ),
  },
  email_change: {
    subject: 'Confirm your new email address',
    html: body(
      'Change of address',
      ['The address of your account is to change from {{ .Email }} to {{ .NewEmail }}.', code, ignore],
      'Confirm the change',
    ),
  },
  reauthentication: {
    subject: '{{ .Token }} is your verification code',
    html: body('Is it you?', ['Enter this code: <strong style="font-size:18px">{{ .Token }}</strong>']),
  },
  password_changed: {
    subject: 'Your password was changed',
    html: body('Password changed', ['{{ .Email }} has a new password.', notYou]),
  },
  email_changed: {
    subject: 'Your email address was changed',
    html: body('Address changed', ['Your account moved from {{ .OldEmail }} to {{ .Email }}.', notYou]),
  },
  phone_changed: {
    subject: 'Your phone number was changed',
    html: body('Phone number changed', ['It was {{ .OldPhone }} and is {{ .Phone }} now.', notYou]),
  },
  identity_linked: {
    subject: 'A new sign-in method was linked to your account',
    html: body('Sign-in added', ['{{ .Email }} can now sign in with {{ .Provider }}.', notYou]),
  },
  identity_unlinked: {
    subject: 'A sign-in method was removed from your account',
    html: body('Sign-in removed', ['{{ .Email }} can no longer sign in with {{ .Provider }}.', notYou]),
  },
  mfa_factor_enrolled: {
    subject: 'A new verification method was added to your account',
    html: body('Verification added', ['Your account now asks for {{ .FactorType }} as well.', notYou]),
  },
  mfa_factor_unenrolled: {
    subject: 'A verification method was removed from your account',
    html: body('Verification removed', ['Your account no longer asks for {{ .FactorType }}.', notYou]),
  },
};
