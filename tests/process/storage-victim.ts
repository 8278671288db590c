// A storage service in a process of its own, for tests that kill it: dies by SIGKILL at the step that its parent names.

import { compile } from '../../src/pg/sql/sql.ts';
import { openFsStore } from '../../src/storage/backends/fs.ts';
import type { StorageInput } from '../../src/storage/deps.ts';
import { drainBatch } from '../../src/storage/worker.ts';
import { watchSteps } from '../support/fs-steps.ts';
import { runStorage } from '../support/storage-service.ts';

/** What its parent tells it. */
export type Order = { readonly dieAt: number } | { readonly drain: true };

/** What it tells its parent. */
export type Report = { readonly port: number } | { readonly drained: number };

const [root = '', folder = '', requestUrl = '', serviceUrl = ''] = process.argv.slice(2);

let dieAt = 0;
let seen = 0;

/** Stands before everything that changes the disk or the database, and before an answer. */
function step(): void {
  if (++seen === dieAt) process.kill(process.pid, 'SIGKILL');
}

const changes = (text: string | undefined): boolean => !/^select /.test(text ?? '');

function watched(input: StorageInput): StorageInput {
  const { requestDb, serviceDb } = input;
  return {
    ...input,
    requestDb: {
      ...requestDb,
      run(scope, statements) {
        if (changes(statements[0]?.text)) step();
        return requestDb.run(scope, statements);
      },
    },
    serviceDb: {
      ...serviceDb,
      query(statement) {
        if (changes(compile(statement).text)) step();
        return serviceDb.query(statement);
      },
    },
  };
}

const running = await runStorage({
  root,
  env: { OWNBASE_STORAGE_DELETE_GRACE: '0' },
  databaseUrl: (login) => (login === 'authenticator' ? requestUrl : serviceUrl),
  store: await openFsStore({ root: folder }),
  wrap: watched,
  onAnswer: step,
});
await watchSteps(folder, step);

const report = (message: Report): boolean | undefined => process.send?.(message);

process.on('message', (order: Order) => {
  if ('dieAt' in order) {
    dieAt = order.dieAt;
    seen = 0;
    report({ port: running.port });
    return;
  }
  void drainBatch(watched(running.deps)).then((drained) => {
    step();
    report({ drained });
  });
});
report({ port: running.port });
