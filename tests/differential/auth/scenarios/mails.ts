import { challenge, member, password, post, type Scenario, signIn } from './scenario.ts';

/** What is asked for and answered alike whoever asks. */
export const mails: readonly Scenario[] = [
  {
    name: 'recovery, magic links and codes asked for',
    profiles: ['confirmations', 'autoconfirm', 'closed', 'strict', 'hooks'],
    async run(target) {
      await member(target, 'one@example.com');
      await post(target, '/signup', { email: 'two@example.com', password });
      for (const email of [
        'one@example.com',
        'ONE@example.com',
        'two@example.com',
        'nobody@example.com',
        '',
        'x',
      ]) {
        for (const path of [
          '/recover',
          '/magiclink',
          '/otp',
          '/recover?redirect_to=https://app.example.com/x',
        ]) {
          await post(target, path, { email });
        }
        await post(target, '/otp', { email, create_user: false });
        await post(target, '/otp', { email, data: { a: 1 } });
        await post(target, '/otp', { email, ...challenge });
        for (const type of ['signup', 'email_change', 'sms', 'recovery']) {
          await post(target, '/resend', { type, email });
        }
      }
    },
  },
  {
    name: 'notices of changes',
    profiles: ['confirmations', 'hooks'],
    async run(target) {
      const { token, id } = await member(target, 'one@example.com', {
        phone: '15550001',
        phone_confirm: true,
      });
      const put = (step: string, body: unknown) => target.ask(step, 'PUT', '/user', { token, body });
      await put('password', { password: 'Another-horse-1' });
      await put('email', { email: 'two@example.com' });
      await put('phone', { phone: '15550002' });
      await post(target, '/verify', { type: 'phone_change', phone: '15550002', token: '222222' });
      const factor = await target.ask('enrol', 'POST', '/factors', { token, body: { factor_type: 'totp' } });
      await target.ask('unenrol', 'DELETE', `/factors/${factor.json?.id}`, { token });
      const admin = (step: string, body: unknown) =>
        target.ask(step, 'PUT', `/admin/users/${id}`, { token: target.serviceKey, body });
      await admin('admin password', { password: 'Another-horse-2' });
      await admin('admin email', { email: 'three@example.com' });
      await admin('admin phone', { phone: '15550003' });
      await signIn(target, 'three@example.com', 'Another-horse-2');
    },
  },
];
