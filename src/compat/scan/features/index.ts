import type { Feature } from '../feature.ts';
import { authFeatures } from './auth.ts';
import { databaseFeatures } from './database.ts';
import { platformFeatures } from './platform.ts';
import { realtimeFeatures } from './realtime.ts';
import { restFeatures } from './rest.ts';
import { storageFeatures } from './storage.ts';

/** Everything that a scan can find, in the order of the report. */
export const features: readonly Feature[] = [
  ...restFeatures,
  ...authFeatures,
  ...storageFeatures,
  ...realtimeFeatures,
  ...platformFeatures,
  ...databaseFeatures,
];

const byId = new Map(features.map((feature) => [feature.id, feature]));
const byCall = new Map(features.flatMap(({ id, calls }) => calls.map((call) => [call, id] as const)));

/** The feature of an id that a finder named. */
export function featureOf(id: string): Feature {
  const feature = byId.get(id);
  if (feature === undefined) throw new RangeError(`the scan has no feature ${id}`);
  return feature;
}

/** The feature that a call such as `bucket.upload` means; undefined when it means none. */
export const featureOfCall = (call: string): string | undefined => byCall.get(call);
