/**
 * Runs jobs with at most `limit` at once, in order of arrival. Hashes take a thread of libuv's pool each; more of them
 * than cores would delay every file operation and lookup of the process.
 */
export function createHashQueue(limit: number): <T>(job: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  const enter = (): Promise<void> => {
    if (running < limit) {
      running++;
      return Promise.resolve();
    }
    return new Promise((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    // The place is handed over, so that a newcomer cannot slip in between.
    if (next === undefined) running--;
    else next();
  };
  return async (job) => {
    await enter();
    try {
      return await job();
    } finally {
      leave();
    }
  };
}
