import { expect, it } from 'vitest';
import { startAuth } from '../../support/auth.ts';

it('a hook that never answers is waited for for five seconds in all, and then refuses', async () => {
  let asked = 0;
  const auth = await startAuth({
    env: {
      GOTRUE_HOOK_BEFORE_USER_CREATED_ENABLED: 'true',
      GOTRUE_HOOK_BEFORE_USER_CREATED_URI: 'https://project.test/hook',
      GOTRUE_HOOK_BEFORE_USER_CREATED_SECRETS: `v1,whsec_${Buffer.from('a secret').toString('base64')}`,
    },
    fetch: (_, init) => {
      asked++;
      return new Promise((_, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    },
  });
  const begun = performance.now();
  const { status, json } = await auth.call('POST', '/signup', {
    body: { email: 'patient@example.com', password: 'correct horse' },
  });
  expect([status, json.error_code, json.msg]).toEqual([
    422,
    'hook_timeout',
    'Failed to reach hook within maximum time of 5.000000 seconds',
  ]);
  expect(asked).toBe(1);
  expect(performance.now() - begun).toBeGreaterThan(4_900);
});
