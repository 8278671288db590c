import type { AdminClient } from '../../pg/connect.ts';

/** The same connection for cases that run side by side: each statement waits for the one before it. */
export function oneAtATime(client: AdminClient): AdminClient {
  let last: Promise<unknown> = Promise.resolve();
  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work);
    last = next;
    return next;
  };
  return {
    query: (statement) => queued(() => client.query(statement)),
    exec: (script) => queued(() => client.exec(script)),
    onNotice: (listener) => client.onNotice(listener),
    end: () => queued(() => client.end()),
  };
}
