/** Questions that are asked one after the other. */
export interface SharedTurns {
  /** Asks when it is this question's turn; whoever asks the same until then gets the same answer. */
  ask<Answer>(question: string, load: () => Promise<Answer>): Promise<Answer>;
}

/** Starts with nobody waiting. */
export function createSharedTurns(): SharedTurns {
  const waiting = new Map<string, Promise<unknown>>();
  let last: Promise<unknown> = Promise.resolve();
  return {
    ask<Answer>(question: string, load: () => Promise<Answer>): Promise<Answer> {
      const known = waiting.get(question);
      // What stands under a question was loaded for that question.
      if (known !== undefined) return known as Promise<Answer>;
      const answer = last.then(() => {
        // An answer holds for the time after it was asked for: who comes later waits for the next one.
        waiting.delete(question);
        return load();
      });
      waiting.set(question, answer);
      last = answer.catch(() => {});
      return answer;
    },
  };
}
