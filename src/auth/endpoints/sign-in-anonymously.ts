import { type HttpReply, jsonReply } from '../../http/exchange.ts';
import type { Call } from '../call.ts';
import type { AuthContext } from '../context.ts';
import { accountFailure } from '../failures/account.ts';
import { runFlow } from '../flows/flow.ts';
import { beginSession } from '../flows/session.ts';
import { callAfterUserCreated, callBeforeUserCreated, createUser } from '../flows/sign-up.ts';
import type { JsonObject } from '../store/rows.ts';
import type { NewUser } from '../store/users.ts';

/**
 * POST /signup without an address: a user that can be made permanent later.
 * Upstream: internal/api/anonymous.go.
 */
export async function signInAnonymously(
  context: AuthContext,
  call: Call,
  data: JsonObject,
): Promise<HttpReply> {
  if (!context.config.enableAnonymousSignIns) throw accountFailure.anonymousDisabled();
  context.limits.demand('anonymous', call.request);
  if (!context.config.enableSignup) throw accountFailure.signupDisabled();
  const fresh: NewUser = {
    id: context.random.uuid(),
    aud: call.aud,
    role: context.config.jwtDefaultRole,
    email: null,
    phone: null,
    encrypted_password: '',
    raw_app_meta_data: {},
    raw_user_meta_data: data,
    is_anonymous: true,
    is_sso_user: false,
  };
  await callBeforeUserCreated(context, call, fresh);
  const { user, session } = await runFlow(context, call, async (flow) => {
    const made = await createUser(context, flow, fresh);
    return { user: made, session: await beginSession(context, flow, made, 'anonymous') };
  });
  await callAfterUserCreated(context, call, { ...user, last_sign_in_at: context.now() });
  return jsonReply(200, session);
}
