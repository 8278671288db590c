/**
 * Runs jobs with at most `limit` at once, in order of arrival. A hash takes a thread and a core; more of them than
 * cores would end no sooner.
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
