import { member, password, post, refresh, type Scenario, signIn } from './scenario.ts';

const refusals = [
  ['a refusal', { status: 200, body: { error: { http_code: 403, message: 'no' } } }],
  ['a refusal without a status', { status: 200, body: { error: { message: 'no' } } }],
  ['a refusal without words', { status: 200, body: { error: { http_code: 403 } } }],
  ['a refusal by text', { status: 200, body: { error: 'no' } }],
  ['400', { status: 400, body: {} }],
  ['401', { status: 401, body: {} }],
  ['403', { status: 403, body: {} }],
  ['500', { status: 500, body: {} }],
  ['204', { status: 204 }],
  ['202', { status: 202, body: {} }],
  ['another type', { status: 200, body: {}, headers: { 'content-type': 'text/plain' } }],
  ['a list', { status: 200, body: [] }],
  ['much', { status: 200, body: { x: 'x'.repeat(210_000) } }],
] as const;

/** What hooks are told, and what their answers do. */
export const hooks: readonly Scenario[] = [
  {
    name: 'answers of hooks before and after a user is made',
    profiles: ['hooks'],
    async run(target) {
      for (const hook of ['BEFORE_USER_CREATED', 'SEND_EMAIL', 'SEND_SMS']) {
        for (const [name, answer] of refusals) {
          target.stage.hookAnswers.set(hook, () => answer);
          const address =
            hook === 'SEND_SMS' ? { phone: '15558888' } : { email: `${name.length}@example.com` };
          const body = { ...address, password, data: { a: 1 } };
          await target.ask(`${hook}: ${name}`, 'POST', '/signup', { body });
          target.stage.hookAnswers.delete(hook);
          await target.exec('delete from auth.users');
        }
      }
    },
  },
  {
    name: 'answers of the hook for access tokens',
    profiles: ['hooks'],
    async run(target) {
      const { session } = await member(target, 'one@example.com');
      let token = session?.refresh_token;
      for (const [name, answer] of refusals) {
        target.stage.hookAnswers.set('CUSTOM_ACCESS_TOKEN', () => answer);
        await target.ask(`sign in: ${name}`, 'POST', '/token?grant_type=password', {
          body: { email: 'one@example.com', password },
        });
        await refresh(target, `refresh: ${name}`, token);
        target.stage.hookAnswers.delete('CUSTOM_ACCESS_TOKEN');
        token = (await refresh(target, `refresh after ${name}`, token)).json?.refresh_token ?? token;
      }
      const changes: Readonly<Record<string, (claims: Record<string, unknown>) => unknown>> = {
        'more claims': (claims) => ({ ...claims, plan: 'x', nested: { a: [1] } }),
        'another role': (claims) => ({ ...claims, role: 'editor' }),
        'no email': ({ email, ...rest }) => rest,
        'no role': ({ role, ...rest }) => rest,
        'no exp': ({ exp, ...rest }) => rest,
        'an exp that is text': (claims) => ({ ...claims, exp: 'x' }),
        'no claims': () => undefined,
        'empty claims': () => ({}),
        'claims that are text': () => 'x',
      };
      for (const [name, change] of Object.entries(changes)) {
        target.stage.hookAnswers.set('CUSTOM_ACCESS_TOKEN', (payload) => ({
          status: 200,
          body: { claims: change((payload as { claims: Record<string, unknown> }).claims) },
        }));
        await signIn(target, 'one@example.com');
        target.stage.hookAnswers.delete('CUSTOM_ACCESS_TOKEN');
        token = (await refresh(target, `refresh after ${name}`, token)).json?.refresh_token ?? token;
      }
    },
  },
  {
    name: 'answers of hooks about attempts',
    profiles: ['hooks'],
    async run(target) {
      await member(target, 'one@example.com');
      for (const [name, answer] of [
        ['continue', { status: 200, body: { decision: 'continue' } }],
        ['reject', { status: 200, body: { decision: 'reject' } }],
        ['reject with words', { status: 200, body: { decision: 'reject', message: 'not today' } }],
        ['reject and sign out', { status: 200, body: { decision: 'reject', should_logout_user: true } }],
        ['nonsense', { status: 200, body: { decision: 'nonsense' } }],
        ...refusals,
      ] as const) {
        target.stage.hookAnswers.set('PASSWORD_VERIFICATION_ATTEMPT', () => answer);
        for (const secret of [password, 'wrong']) {
          const body = { email: 'one@example.com', password: secret };
          await post(target, '/token?grant_type=password', { ...body, name });
        }
        target.stage.hookAnswers.delete('PASSWORD_VERIFICATION_ATTEMPT');
      }
    },
  },
];
