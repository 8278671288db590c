/**
 * Compares a bootstrapped database with descriptions of upstream's schemas:
 *
 *     npx tsx tests/contract/compare-catalog.ts DIRECTORY [OWNER_URL]
 *
 * DIRECTORY holds `auth-schema.json` and `storage-schema.json`. Without a URL an embedded server is started.
 * Prints what differs and `N passed, M failed`; exits with 1 when anything differs.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from '../../src/pg/connect.ts';
import { describeCatalog } from '../fixtures/catalog/describe-catalog.ts';
import { startTestCluster } from '../support/cluster.ts';
import type { Expectation } from './expectation.ts';
import { authExpectations } from './expected-auth.ts';
import { storageExpectations } from './expected-storage.ts';

const [directory = '', givenUrl] = process.argv.slice(2);
const files = ['auth-schema.json', 'storage-schema.json'].map((name) => join(directory, name));

if (files.every((file) => existsSync(file))) {
  const cluster = givenUrl === undefined ? await startTestCluster() : null;
  try {
    process.exitCode = await compare(givenUrl ?? cluster?.ownerUrl ?? '');
  } finally {
    await cluster?.stop();
  }
} else {
  console.log(`not run: compare-catalog (no descriptions in ${directory})`);
}

async function compare(ownerUrl: string): Promise<number> {
  const client = await connect(ownerUrl);
  const catalog = await describeCatalog(client).finally(() => client.end());
  const [auth, storage] = await Promise.all(
    files.map(async (file) => JSON.parse(await readFile(file, 'utf8')) as unknown),
  );
  const expectations = [...authExpectations(auth, catalog), ...storageExpectations(storage, catalog)];
  const failed = expectations.filter((expectation) => !report(expectation));
  console.log(`${expectations.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

function report({ what, expected, actual }: Expectation): boolean {
  const [wanted, found] = [JSON.stringify(expected), JSON.stringify(actual)];
  if (wanted === found) return true;
  console.log(`${what}\n  expected ${wanted}\n  found    ${found}`);
  return false;
}
