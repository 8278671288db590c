import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { removeDataDir } from '../../../src/embedded/placement.ts';
import { startEmbedded } from '../../../src/embedded/start.ts';
import { connect } from '../../../src/pg/connect.ts';
import { applyBootstrap, BootstrapFailure } from '../../../src/platform/bootstrap/apply.ts';
import { examine } from '../../../src/platform/doctor/doctor.ts';
import { testPasswords } from '../../support/cluster.ts';

// A server on which somebody made the roles before us, and the other way round.
const folder = await mkdtemp(join(tmpdir(), 'ownbase-test-'));
const server = await startEmbedded({ dataDir: join(folder, 'postgres'), durable: false });
const admin = await connect(server.ownerUrl);
afterAll(async () => {
  await admin.end();
  await server.stop();
  await removeDataDir(join(folder, 'postgres'));
  await rm(folder, { recursive: true, force: true });
});
await admin.exec(`
  create role postgres login createrole;
  create role supabase_storage_admin login noinherit createrole;
  create role supabase_auth_admin login noinherit;
  create role middle_role;
  grant postgres to supabase_storage_admin with admin option;
  grant postgres to middle_role;
  grant middle_role to supabase_auth_admin;
`);

const bootstrap = () => applyBootstrap(server.ownerUrl, { passwords: testPasswords });
const diagnosis = async () => {
  const report = await examine({ client: admin, clock: systemClock, apiKeys: [] });
  return report.find(({ id }) => id === 'membership-circles');
};

test('memberships that go in a circle end the bootstrap with the statements that open it, which then do', async () => {
  const failure = await bootstrap().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(failure).toBeInstanceOf(BootstrapFailure);
  const { message } = failure as BootstrapFailure;
  const statements = (message.split('start again: ')[1] ?? '').split(/; ?/).filter(Boolean);
  expect(statements).toEqual([
    'revoke postgres from middle_role granted by supabase_admin',
    'revoke postgres from supabase_storage_admin granted by supabase_admin',
  ]);
  expect(message).toContain('supabase_storage_admin is a member of postgres');

  const ill = await diagnosis();
  expect(ill).toMatchObject({ status: 'fail' });
  for (const statement of statements) expect(JSON.stringify(ill)).toContain(statement);

  for (const statement of statements) await admin.exec(statement);
  expect((await bootstrap()).degraded).toEqual([]);
  expect(await diagnosis()).toMatchObject({ status: 'ok' });
});
