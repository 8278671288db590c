import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../../http/exchange.ts';
import { type AdminCall, field, readJson } from '../../call.ts';
import type { AuthContext } from '../../context.ts';
import { demandEmail } from '../../flows/addresses.ts';
import { generateLink } from '../../flows/generate-link.ts';
import { userJson } from '../../wire/user.ts';

const linkBody = z
  .object({
    type: field.text,
    email: field.text,
    new_email: field.text,
    password: field.text,
    data: field.object,
    redirect_to: field.text,
  })
  .describe('GenerateLinkParams');

/** POST /admin/generate_link: the link of a mail, without the mail. */
export async function postGenerateLink(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const body = await readJson(call, linkBody);
  const redirectTo = context.redirects.isPermitted(body.redirect_to)
    ? body.redirect_to
    : await call.redirectTo();
  const link = await generateLink(context, call, {
    type: body.type,
    email: demandEmail(body.email),
    newEmail: body.new_email,
    password: body.password,
    data: body.data,
    redirectTo,
  });
  return jsonReply(200, {
    ...userJson(link.user),
    action_link: link.url,
    email_otp: link.otp,
    hashed_token: link.hash,
    verification_type: link.type,
    redirect_to: redirectTo,
  });
}
