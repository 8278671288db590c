import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AdminClient } from '../../pg/connect.ts';
import { suiteDir } from '../cases/load.ts';
import type { Service } from '../cases/model.ts';
import { exchange } from './http.ts';
import { addressOf, keyHeaders } from './target.ts';
import { fillString } from './template.ts';
import type { World } from './world.ts';

/**
 * Makes the tables, policies and buckets that the cases of some services share. Yields what could not be made: the cases
 * that need it fail on their own, and the rest still tells something.
 */
export async function setStage(world: World, wanted: ReadonlySet<Service>): Promise<string[]> {
  const { database } = world;
  const problems: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (world.signal.aborted) throw error;
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  if (database !== null) {
    for (const script of scriptsOf(wanted)) {
      await attempt(`the fixtures of ${script}`, () => applyScript(database, `${script}.sql`, world.prefix));
    }
  }
  if (wanted.has('storage')) {
    await attempt('the private bucket', () => makeBucket(world, 'private', false));
    await attempt('the public bucket', () => makeBucket(world, 'public', true));
  }
  if (database !== null && wanted.has('rest'))
    await attempt('the schema cache', () => waitForSchemaCache(world));
  return problems;
}

/** The scripts of `fixtures/` that cases of these services need; hooks and claims of auth are seen through REST. */
const scriptsOf = (wanted: ReadonlySet<Service>): ('rest' | 'storage' | 'realtime')[] => [
  ...(wanted.has('rest') || wanted.has('auth') ? (['rest'] as const) : []),
  ...(wanted.has('storage') ? (['storage'] as const) : []),
  ...(wanted.has('realtime') ? (['realtime'] as const) : []),
];

/** A part of the stage could not be set. */
class StageFailure extends Error {
  override readonly name = 'StageFailure';
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
      url: addressOf(world.target, '/storage/v1/bucket'),
      headers: { ...keyHeaders(world.target, 'service'), 'content-type': 'application/json' },
      body: JSON.stringify({ id, name: id, public: isPublic }),
    },
    world.signal,
  );
  if (answer.status === 200) return;
  throw new StageFailure(`POST /storage/v1/bucket answered ${answer.status} ${answer.text.slice(0, 200)}`);
}

/** The REST service learns of new tables by a notification; cases must not be quicker. */
async function waitForSchemaCache(world: World): Promise<void> {
  const deadline = performance.now() + 3 * world.patienceMs;
  const request = {
    method: 'GET',
    url: addressOf(world.target, `/rest/v1/${world.prefix}films?select=id&limit=1`),
    headers: keyHeaders(world.target, 'service'),
    body: null,
  };
  for (;;) {
    const answer = await exchange(request, world.signal);
    if (answer.status === 200) return;
    if (performance.now() > deadline) {
      throw new StageFailure(
        `REST does not show the tables that were made through --db-url: ${answer.status} ${answer.text.slice(0, 200)}`,
      );
    }
    await sleep(100, undefined, { signal: world.signal });
  }
}
