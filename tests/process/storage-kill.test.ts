import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyProject, type RunningInstance, runCli, startInstance } from '../support/cli.ts';

/*
 * A process that dies in the middle of many uploads: what it acknowledged is there, byte for byte, after the next start;
 * what it did not acknowledge is there whole, or not at all.
 */
const writers = 6;
const namesPerWriter = 8;
const acknowledgedBeforeKill = 60;

let project: Awaited<ReturnType<typeof copyProject>>;
let instance: RunningInstance;

const call = (method: string, path: string, body?: Buffer | string, type = 'application/octet-stream') =>
  fetch(`${instance.url}/storage/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${instance.env.SERVICE_ROLE_KEY}`, 'content-type': type },
    body: body ?? null,
  });
const digest = (bytes: Buffer | ArrayBuffer): string =>
  createHash('md5')
    .update(Buffer.from(bytes as ArrayBuffer))
    .digest('hex');

beforeAll(async () => {
  project = await copyProject('journal');
  instance = await startInstance(project.dir, ['--log-level', 'error']);
  expect((await call('POST', '/bucket', '{"name":"kill"}', 'application/json')).status).toBe(200);
});

afterAll(async () => {
  await instance.stop();
  await project.remove();
});

/** What a name holds for certain, and what its last upload may have made of it. */
type Known = { acknowledged: string | null; attempted: string };

it('loses nothing that it acknowledged', async () => {
  const known = new Map<string, Known>();
  let acknowledged = 0;
  const write = async (writer: number): Promise<void> => {
    for (let i = 0; ; i++) {
      const name = `w${writer}-${i % namesPerWriter}`;
      const bytes = randomBytes(40_000);
      const state = known.get(name) ?? { acknowledged: null, attempted: '' };
      state.attempted = digest(bytes);
      known.set(name, state);
      try {
        const answer = await call('PUT', `/object/kill/${name}`, bytes);
        await answer.arrayBuffer();
        if (answer.status !== 200) return;
      } catch {
        // The process is gone.
        return;
      }
      state.acknowledged = state.attempted;
      if (++acknowledged === acknowledgedBeforeKill) instance.child.kill('SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));

  instance = await startInstance(project.dir, ['--log-level', 'error']);
  for (const [name, state] of known) {
    const answer = await call('GET', `/object/authenticated/kill/${name}`);
    const bytes = await answer.arrayBuffer();
    if (answer.status === 200) expect([state.acknowledged, state.attempted]).toContain(digest(bytes));
    else expect(state.acknowledged).toBeNull();
  }
  const check = await runCli(['storage', 'check', '--project', project.dir, '--json']);
  expect(check.stdout).toBe('');
  expect(check.code).toBe(0);
});
