import { z } from 'zod';
import { type HttpReply, jsonReply } from '../../../http/exchange.ts';
import { type AdminCall, field, readJson } from '../../call.ts';
import type { AuthContext } from '../../context.ts';
import { adminFailure } from '../../failures/admin.ts';
import { createUserAsAdmin } from '../../flows/admin-create-user.ts';
import { deleteUserAsAdmin } from '../../flows/admin-delete-user.ts';
import { updateUserAsAdmin } from '../../flows/admin-update-user.ts';
import { isUuid } from '../../guard.ts';
import type { User } from '../../store/rows.ts';
import { listUsers, listUsersAfter } from '../../store/user-list.ts';
import { findUser } from '../../store/users.ts';
import { listedUserJson, userJson } from '../../wire/user.ts';
import { cursorLink, isByCursor, readCursorPage, writeCursor } from './cursor.ts';
import { pageHeaders, readDirection, readPage } from './pagination.ts';

const adminUserBody = z
  .object({
    id: field.text,
    aud: field.text,
    role: field.text,
    email: field.text,
    phone: field.text,
    password: field.optionalText,
    password_hash: field.text,
    email_confirm: field.flag,
    phone_confirm: field.flag,
    user_metadata: field.object,
    app_metadata: field.object,
    ban_duration: field.text,
  })
  .describe('AdminUserParams');

/** The user that the path names. */
export async function demandPathUser(context: AuthContext, call: Pick<AdminCall, 'params'>): Promise<User> {
  const id = call.params.user_id ?? '';
  if (!isUuid(id)) throw adminFailure.userIdNotUuid();
  const user = await findUser(context.db, id);
  if (user === null) throw adminFailure.userNotFound();
  return user;
}

/** GET /admin/users: a page of users. */
export async function getUsers(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const direction = readDirection(call);
  if (isByCursor(context, call)) return getUsersByCursor(context, call, direction);
  const page = readPage(call);
  const { users, total } = await listUsers(context.db, {
    aud: call.aud,
    filter: call.query.get('filter') ?? '',
    direction,
    limit: page.perPage,
    offset: Math.max(page.page - 1, 0) * page.perPage,
  });
  return jsonReply(200, { users: users.map(listedUserJson), aud: call.aud }, pageHeaders(call, page, total));
}

/** The list without numbers of pages, which takes no longer at its end. */
async function getUsersByCursor(
  context: AuthContext,
  call: AdminCall,
  direction: 'asc' | 'desc',
): Promise<HttpReply> {
  const { limit, after } = readCursorPage(call);
  const filter = call.query.get('filter') ?? '';
  // One more tells whether there are more.
  const found = await listUsersAfter(
    context.db,
    { aud: call.aud, filter, direction, limit: limit + 1 },
    after,
  );
  const users = found.slice(0, limit);
  const last = users.at(-1);
  const next =
    found.length > limit && last !== undefined
      ? writeCursor({ createdAt: last.created_at ?? '-infinity', id: last.id })
      : null;
  const pagination = { next_cursor: next ?? undefined, has_more: next !== null };
  const headers = next === null ? {} : cursorLink(call, next);
  return jsonReply(200, { users: users.map(listedUserJson), aud: call.aud, pagination }, headers);
}

/** POST /admin/users: a user without sign-up; no mail is sent. */
export async function postUser(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const body = await readJson(call, adminUserBody);
  return jsonReply(200, userJson(await createUserAsAdmin(context, call, body)));
}

/** GET /admin/users/{user_id}. */
export async function getUserById(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  return jsonReply(200, userJson(await demandPathUser(context, call)));
}

/** PUT /admin/users/{user_id}: changes take effect at once, without any confirmation. */
export async function putUserById(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const user = await demandPathUser(context, call);
  const body = await readJson(call, adminUserBody);
  return jsonReply(200, userJson(await updateUserAsAdmin(context, call, user, body)));
}

const deleteBody = z.object({ should_soft_delete: field.flag }).describe('adminUserDeleteParams');

/** DELETE /admin/users/{user_id}: for good, or so that only the row remains. */
export async function deleteUserById(context: AuthContext, call: AdminCall): Promise<HttpReply> {
  const user = await demandPathUser(context, call);
  const isEmpty = (await call.bytes()).length === 0;
  const { should_soft_delete: isSoft } = isEmpty
    ? { should_soft_delete: false }
    : await readJson(call, deleteBody);
  await deleteUserAsAdmin(context, call, user, isSoft);
  return jsonReply(200, {});
}
