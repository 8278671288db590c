import { member, password, type Scenario } from './scenario.ts';

/** Limits per address. */
export const limits: readonly Scenario[] = [
  {
    name: 'limits by address',
    profiles: ['strict'],
    async run(target) {
      const { token } = await member(target, 'one@example.com');
      const requests = [
        ['POST', '/signup', { email: 'one@example.com', password }],
        ['POST', '/signup', {}],
        ['POST', '/token?grant_type=password', { email: 'one@example.com', password: 'x' }],
        ['POST', '/token?grant_type=refresh_token', { refresh_token: 'x' }],
        ['POST', '/recover', { email: 'nobody@example.com' }],
        ['POST', '/otp', {}],
        ['POST', '/magiclink', {}],
        ['POST', '/resend', {}],
        ['POST', '/verify', {}],
        ['PUT', '/user', {}],
      ] as const;
      for (const [method, path, body] of requests) {
        const ask = (step: string, address: string | null) =>
          target.ask(`${method} ${path} ${JSON.stringify(body)} ${step}`, method, path, {
            token: path === '/user' ? token : undefined,
            body,
            headers: address === null ? {} : { 'x-test-address': address },
          });
        for (let i = 1; i <= 33; i++) await ask(`by one, ${i}`, `10.0.0.1, 10.0.0.${i}`);
        await ask('by another', '10.0.0.2');
        await ask('by nobody', null);
        await ask('by an empty address', '');
      }
    },
  },
];
