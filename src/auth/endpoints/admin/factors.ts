import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../../http/exchange.ts';
import { type AdminCall, field, readJson } from '../../call.ts';
import type { AuthContext } from '../../context.ts';
import { demandPhone } from '../../flows/addresses.ts';
import { runFlow } from '../../flows/flow.ts';
import { deleteFactors, lowerSessions, updateFactor } from '../../store/factors.ts';
import { factorJson } from '../../wire/user.ts';
import { demandPathFactor } from '../factors.ts';
import { demandPathUser } from './users.ts';

/** GET /admin/users/{user_id}/factors. */
export async function getUserFactors(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const user = await demandPathUser(context, call);
  return jsonReply(200, user.factors.map(factorJson));
}

const factorBody = z
  .object({ friendly_name: field.text, phone: field.text })
  .describe('adminUserUpdateFactorParams');

/** PUT /admin/users/{user_id}/factors/{factor_id}. */
export async function putUserFactor(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const user = await demandPathUser(context, call);
  const factor = await demandPathFactor(context, user, call.params.factor_id ?? '');
  const body = await readJson(call, factorBody);
  const isPhone = body.phone !== '' && factor.factor_type === 'phone';
  const patch = {
    ...(body.friendly_name === '' ? {} : { friendly_name: body.friendly_name }),
    ...(isPhone ? { phone: demandPhone(body.phone) } : {}),
  };
  const updated = await runFlow(context, call, async (flow) => {
    const traits = { user_id: user.id, factor_id: factor.id, factor_type: factor.factor_type };
    await context.audit.record(flow.tx, call.actor, 'factor_updated', traits);
    return updateFactor(flow.tx, factor.id, patch, context.now());
  });
  return jsonReply(200, factorJson(updated));
}

/** DELETE /admin/users/{user_id}/factors/{factor_id}: sessions that it raised fall back to one factor. */
export async function deleteUserFactor(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const user = await demandPathUser(context, call);
  const factor = await demandPathFactor(context, user, call.params.factor_id ?? '');
  await runFlow(context, call, async (flow) => {
    const traits = { user_id: user.id, factor_id: factor.id };
    await context.audit.record(flow.tx, user, 'factor_deleted', traits, call.request.ip);
    await lowerSessions(flow.tx, factor, context.now());
    await deleteFactors(flow.tx, [factor.id]);
  });
  return jsonReply(200, factorJson(factor));
}
