import type { Serializer } from './frame.ts';
import { serializerV1 } from './serializer-v1.ts';
import { serializerV2 } from './serializer-v2.ts';

/** The serializer that a client's `vsn` asks for: any 1.0.x or 2.0.x, and 1.0.0 without one; null for others. */
export function serializerFor(version: string | null): Serializer | null {
  if (version === null || /^1\.0\.\d+$/.test(version)) return serializerV1;
  return /^2\.0\.\d+$/.test(version) ? serializerV2 : null;
}
