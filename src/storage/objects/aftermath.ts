import type { StorageConfig } from '../deps.ts';
import type { Aftermath } from '../store/outbox.ts';

/** What the configuration says about what follows a write. */
export const aftermathOf = ({ deleteGraceMs, webhookUrl }: StorageConfig): Aftermath => ({
  graceSeconds: deleteGraceMs / 1000,
  announces: webhookUrl !== null,
});
