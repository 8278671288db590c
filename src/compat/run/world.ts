import type { AdminClient } from '../../pg/connect.ts';
import type { Cast } from './cast.ts';
import type { Target } from './target.ts';

/** What all cases of a run share. */
export type World = {
  readonly target: Target;
  /** Start of every name that the run makes. */
  readonly prefix: string;
  readonly cast: Cast;
  /** The set-up connection; null without a database URL. */
  readonly database: AdminClient | null;
  /** Notes a user to delete at the end. */
  readonly noteUser: (id: string) => void;
  readonly signal: AbortSignal;
  /** How long a step waits for what must come. */
  readonly patienceMs: number;
};
