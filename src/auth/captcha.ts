import { z } from 'zod';
import { type Call, readJson } from './call.ts';
import type { AuthContext } from './context.ts';
import { grantTypeOf } from './endpoints/token.ts';
import { requestFailure } from './failures/request.ts';
import { fault } from './failures/table.ts';
import { isAdminCall } from './guard.ts';

const verifiers = {
  hcaptcha: 'https://hcaptcha.com/siteverify',
  turnstile: 'https://challenges.cloudflare.com/turnstile/v0/siteverify',
} as const;

/** What a timeout of nothing stands for. */
const defaultTimeoutMs = 10_000;

const securityBody = z
  .object({
    gotrue_meta_security: z.object({ captcha_token: z.string().nullish() }).nullish(),
  })
  .describe('GotrueRequest');

const verdict = z.object({
  success: z.boolean().default(false),
  'error-codes': z.array(z.string()).nullish(),
});

/** Grants whose credentials a program cannot guess. */
const sparedGrants: ReadonlySet<string> = new Set(['pkce', 'refresh_token', 'id_token']);

/**
 * Demands a solved captcha when the configuration does; verified admins are spared.
 * Upstream: internal/api/middleware.go (verifyCaptcha), internal/security/captcha.go.
 */
export async function demandCaptcha(context: AuthContext, call: Call): Promise<void> {
  const { config } = context;
  if (!config.captchaEnabled || (await isAdminCall(context, call))) return;
  if (call.request.path.startsWith('/token') && sparedGrants.has(await grantTypeOf(call))) return;
  const body = await readJson(call, securityBody);
  const token = body.gotrue_meta_security?.captcha_token?.trim() ?? '';
  if (token === '') throw requestFailure.captchaMissing();
  const result = await ask(context, token, call.request.ip);
  if (!result.success) throw requestFailure.captchaRefused(result['error-codes'] ?? []);
}

async function ask(context: AuthContext, token: string, ip: string): Promise<z.infer<typeof verdict>> {
  const { config } = context;
  const form = new URLSearchParams({
    secret: config.captchaSecret?.trim() ?? '',
    response: token,
    remoteip: ip,
  });
  try {
    const reply = await context.fetch(verifiers[config.captchaProvider], {
      method: 'POST',
      body: form,
      signal: AbortSignal.timeout(config.captchaTimeoutMs || defaultTimeoutMs),
    });
    return verdict.parse(await reply.json());
  } catch (cause) {
    throw fault('captcha verification process failed', { cause });
  }
}
