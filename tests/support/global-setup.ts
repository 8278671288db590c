import type { TestProject } from 'vitest/node';
import { applyBootstrap } from '../../src/platform/bootstrap/apply.ts';
import { startTestCluster, type TestCluster, testPasswords } from './cluster.ts';

let cluster: TestCluster | null = null;

/** One Postgres for the whole run: an embedded one, or the one that TEST_DATABASE_URL names (an owner login). */
export async function setup(project: TestProject): Promise<void> {
  const given = process.env.TEST_DATABASE_URL;
  if (given !== undefined) {
    await applyBootstrap(given, { passwords: testPasswords });
    project.provide('ownerUrl', given);
    return;
  }
  cluster = await startTestCluster();
  project.provide('ownerUrl', cluster.ownerUrl);
}

/** Ends the embedded Postgres of the run. */
export async function teardown(): Promise<void> {
  await cluster?.stop();
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** Owner connection to the bootstrapped database that test databases are cloned from. */
    ownerUrl: string;
  }
}
