import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AdminClient } from '../../pg/connect.ts';
import { suiteDir } from '../cases/load.ts';
import type { Service } from '../cases/model.ts';
import { exchange } from './http.ts';
import { keyHeaders } from './target.ts';
import { fillString } from './template.ts';
import type { World } from './world.ts';

/** The stage could not be set; nothing can run on it. */
export class StageFailure extends Error {
  override readonly name = 'StageFailure';
}

/** Makes the tables, policies and buckets that the cases of some services share. */
export async function setStage(world: World, wanted: ReadonlySet<Service>): Promise<void> {
  if (world.database !== null) await applyScript(world.database, 'up.sql', world.prefix);
  if (wanted.has('storage')) {
    await makeBucket(world, 'private', false);
    await makeBucket(world, 'public', true);
  }
  if (world.database !== null && wanted.has('rest')) await waitForSchemaCache(world);
}

/** Removes the tables, functions, types and policies of a run. */
export async function strikeStage(database: AdminClient, prefix: string): Promise<void> {
  await applyScript(database, 'down.sql', prefix);
}

/** The prefix is letters, digits and `_`, so it may stand anywhere in the scripts. */
async function applyScript(database: AdminClient, name: string, prefix: string): Promise<void> {
  const script = await readFile(join(suiteDir, 'fixtures', name), 'utf8');
  await database.exec(fillString(script, new Map([['p', prefix]])));
}

async function makeBucket(world: World, name: string, isPublic: boolean): Promise<void> {
  const id = `${world.prefix}${name}`;
  const answer = await exchange(
    {
      method: 'POST',
      url: `${world.target.url}/storage/v1/bucket`,
      headers: { ...keyHeaders(world.target, 'service'), 'content-type': 'application/json' },
      body: JSON.stringify({ id, name: id, public: isPublic }),
    },
    world.signal,
  );
  if (answer.status === 200) return;
  throw new StageFailure(`the bucket ${id} could not be made: ${answer.status} ${answer.text.slice(0, 200)}`);
}

/** The REST service learns of new tables by a notification; cases must not be quicker. */
async function waitForSchemaCache(world: World): Promise<void> {
  const deadline = performance.now() + 3 * world.patienceMs;
  const request = {
    method: 'GET',
    url: `${world.target.url}/rest/v1/${world.prefix}films?select=id&limit=1`,
    headers: keyHeaders(world.target, 'service'),
    body: null,
  };
  for (;;) {
    const answer = await exchange(request, world.signal);
    if (answer.status === 200) return;
    if (performance.now() > deadline) {
      throw new StageFailure(
        `the REST service does not show the tables that were made through --db-url: ${answer.status} ${answer.text.slice(0, 200)}`,
      );
    }
    await sleep(100, undefined, { signal: world.signal });
  }
}
