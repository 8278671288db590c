import type { Scenario } from './scenario.ts';
import { bucketScenarios } from './scenarios/buckets.ts';
import { changeScenarios } from './scenarios/changes.ts';
import { downloadScenarios } from './scenarios/downloads.ts';
import { listingScenarios } from './scenarios/listings.ts';
import { resumableScenarios } from './scenarios/resumable.ts';
import { s3Scenarios } from './scenarios/s3.ts';
import { sweepScenarios } from './scenarios/sweep.ts';
import { uploadScenarios } from './scenarios/uploads.ts';

/** Everything that is replayed. */
export const scenarios: readonly Scenario[] = [
  ...bucketScenarios,
  ...uploadScenarios,
  ...downloadScenarios,
  ...listingScenarios,
  ...changeScenarios,
  ...resumableScenarios,
  ...s3Scenarios,
  ...sweepScenarios,
];
