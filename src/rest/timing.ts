/** Stages of a request, in the order in which `Server-Timing` names them. */
const stages = ['jwt', 'parse', 'plan', 'transaction', 'response'] as const;

type Stage = (typeof stages)[number];

/** How long the stages of one request took. */
export interface Timing {
  /** The stage that began with the last mark ends now. */
  mark(stage: Stage): void;
  /** The `Server-Timing` header, in milliseconds. */
  header(): string;
}

/** Starts the first stage. */
export function startTiming(): Timing {
  const durations = new Map<Stage, number>();
  let last = performance.now();
  return {
    mark(stage) {
      const now = performance.now();
      durations.set(stage, now - last);
      last = now;
    },
    header: () => stages.map((stage) => `${stage};dur=${(durations.get(stage) ?? 0).toFixed(1)}`).join(', '),
  };
}
