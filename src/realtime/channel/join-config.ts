import { z } from 'zod';

/** What a client asks for when it joins a topic. */
export type JoinConfig = {
  readonly isPrivate: boolean;
  readonly ackBroadcast: boolean;
  readonly selfBroadcast: boolean;
  readonly wantsReplicationReady: boolean;
  /** The raw value of `broadcast.replay`; undefined when absent. */
  readonly replay: unknown;
  readonly presenceEnabled: boolean;
  /** Null asks for a key made by the server. */
  readonly presenceKey: string | null;
  /** Items as sent, without nulls: they are echoed with an id. */
  readonly postgresChanges: readonly Readonly<Record<string, unknown>>[];
  /** A join without `config`, as the first clients sent it: the topic itself names what changes are wanted. */
  readonly isLegacy: boolean;
  /** `user_token`, else `access_token`; null means the token of the connection. */
  readonly token: string | null;
};

const flexibleBoolean = z
  .union([
    z.boolean(),
    z
      .string()
      .toLowerCase()
      .pipe(z.enum(['true', 'false'])),
  ])
  .transform((value) => value === true || value === 'true')
  .catch(false);
const record = z.record(z.string(), z.unknown());
const section = record.catch({});

const flags = z.object({
  private: flexibleBoolean,
  broadcast: section,
  presence: section,
  postgres_changes: z.array(z.unknown()).catch([]),
});

const textOrNull = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;

/**
 * Reads a join payload. What cannot be read counts as absent: a join never fails for its shape.
 * Upstream: supabase/realtime lib/realtime_web/channels/payloads/.
 */
export function parseJoin(payload: unknown): JoinConfig {
  const root = section.parse(payload);
  const config = flags.parse(section.parse(root.config));
  const { broadcast, presence } = config;
  const token = typeof root.user_token === 'string' ? root.user_token : root.access_token;
  return {
    isPrivate: config.private,
    ackBroadcast: flexibleBoolean.parse(broadcast.ack),
    selfBroadcast: flexibleBoolean.parse(broadcast.self),
    wantsReplicationReady: flexibleBoolean.parse(broadcast.replication_ready),
    replay: broadcast.replay,
    presenceEnabled: flexibleBoolean.parse(presence.enabled),
    presenceKey: textOrNull(presence.key),
    postgresChanges: config.postgres_changes.flatMap((item) => {
      const parsed = record.safeParse(item);
      return parsed.success ? [parsed.data] : [];
    }),
    isLegacy: !('config' in root),
    token: typeof token === 'string' && !token.startsWith('sb_') ? token : null,
  };
}
