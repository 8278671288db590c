import { exchange, type HttpAnswer } from './http.ts';
import { valueAt } from './match.ts';
import { strikeStage } from './stage.ts';
import { addressOf, keyHeaders } from './target.ts';
import type { World } from './world.ts';

/** Removes all that a run made; yields what it could not remove. Never rejects. */
export async function sweep(world: World, users: ReadonlySet<string>): Promise<string[]> {
  const parts = await Promise.all([
    attempt('tables', async () => {
      if (world.database !== null) await strikeStage(world.database, world.prefix);
      return [];
    }),
    attempt('buckets', () => removeBuckets(world)),
    attempt('users', () => removeUsers(world, users)),
  ]);
  return parts.flat();
}

async function attempt(what: string, work: () => Promise<string[]>): Promise<string[]> {
  try {
    return await work();
  } catch (error) {
    return [`${what}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

async function removeBuckets(world: World): Promise<string[]> {
  const list = await ask(world, 'GET', '/storage/v1/bucket');
  const ids = names(list.json, 'id').filter((id) => id.startsWith(world.prefix));
  const left: string[] = [];
  for (const id of ids) {
    await emptyBucket(world, id);
    const answer = await ask(world, 'DELETE', `/storage/v1/bucket/${id}`, {});
    if (answer.status !== 200) left.push(`bucket ${id}: ${answer.text.slice(0, 200)}`);
  }
  return left;
}

/** By names and not by the call that empties a bucket: that one may do its work an hour later. */
async function emptyBucket(world: World, id: string): Promise<void> {
  for (;;) {
    const page = await ask(world, 'POST', `/storage/v1/object/list-v2/${id}`, { limit: 500 });
    const prefixes = names(valueAt(page.json, 'objects'), 'name');
    if (prefixes.length === 0) return;
    const removed = await ask(world, 'DELETE', `/storage/v1/object/${id}`, { prefixes });
    if (!Array.isArray(removed.json) || removed.json.length === 0) return;
  }
}

async function removeUsers(world: World, noted: ReadonlySet<string>): Promise<string[]> {
  const ids = new Set([...noted, ...(await usersOfRun(world))]);
  const left: string[] = [];
  for (const id of ids) {
    const answer = await ask(world, 'DELETE', `/auth/v1/admin/users/${id}`, {});
    if (answer.status !== 200 && answer.status !== 404) {
      left.push(`user ${id}: ${answer.text.slice(0, 200)}`);
    }
  }
  return left;
}

async function usersOfRun(world: World): Promise<string[]> {
  const ids: string[] = [];
  for (let page = 1; ; page++) {
    const answer = await ask(world, 'GET', `/auth/v1/admin/users?page=${page}&per_page=200`);
    const users = valueAt(answer.json, 'users');
    if (!Array.isArray(users) || users.length === 0) return ids;
    for (const user of users) {
      const id = valueAt(user, 'id');
      const email = valueAt(user, 'email');
      if (typeof id === 'string' && typeof email === 'string' && email.startsWith(world.prefix)) ids.push(id);
    }
    if (users.length < 200) return ids;
  }
}

/** The texts under a key of each element; of something else than an array, none. */
const names = (list: unknown, key: string): string[] =>
  (Array.isArray(list) ? list : []).flatMap((item) => {
    const value = valueAt(item, key);
    return typeof value === 'string' ? [value] : [];
  });

function ask(world: World, method: string, path: string, body?: unknown): Promise<HttpAnswer> {
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  return exchange(
    {
      method,
      url: addressOf(world.target, path),
      headers: { ...keyHeaders(world.target, 'service'), ...json },
      body: body === undefined ? null : JSON.stringify(body),
    },
    // What was made is removed after an interruption too.
    AbortSignal.timeout(20_000),
  );
}
