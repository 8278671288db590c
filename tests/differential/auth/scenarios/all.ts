import { grants } from './grants.ts';
import { journeys } from './journeys.ts';
import { malformed } from './malformed.ts';
import type { Scenario } from './scenario.ts';
import { signUps } from './sign-up.ts';
import { tokens } from './tokens.ts';
import { userChanges } from './user.ts';
import { verifications } from './verify.ts';

export type { Scenario };

/** Every scenario, in the order of replay. */
export const scenarios: readonly Scenario[] = [
  ...journeys,
  ...malformed,
  ...tokens,
  ...signUps,
  ...grants,
  ...verifications,
  ...userChanges,
];
