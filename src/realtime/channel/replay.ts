import { z } from 'zod';
import { err, ok, type Result } from '../../core/result.ts';
import { PgFailure } from '../../pg/failure.ts';
import type { RequestDb } from '../../pg/session.ts';
import { sql } from '../../pg/sql/sql.ts';
import type { Refusal } from '../errors.ts';

/** A stored message that a channel gets again when it joins. */
export type StoredMessage = {
  readonly id: string;
  readonly event: string;
  /** JSON text; null for a message of bytes. */
  readonly payload: string | null;
  readonly bytes: Buffer | null;
};

const maxMessages = 25;

/** Bounds of a moment in epoch milliseconds: what the database's years have room for, and upstream's. */
const [earliest, latest] = [Date.UTC(-4712, 0), Date.UTC(9999, 11, 31, 23, 59, 59, 999)];

const request = z.object({
  since: z.number().int().min(earliest).max(latest),
  limit: z
    .number()
    .int()
    .nullish()
    .transform((limit) => Math.min(maxMessages, Math.max(1, limit ?? maxMessages))),
});

type Row = { id: string; event: string; payload: string | null; bytes: string | null };

/**
 * Reads the newest stored broadcasts of a private topic since a moment, oldest first.
 * The caller has checked that the client may read broadcasts of the topic.
 *
 * Upstream: supabase/realtime lib/realtime/messages.ex.
 */
export async function readReplay(
  db: RequestDb,
  subTopic: string,
  raw: unknown,
): Promise<Result<readonly StoredMessage[], Refusal>> {
  const parsed = request.safeParse(raw);
  if (!parsed.success) return err('replay-params');
  const { since, limit } = parsed.data;
  try {
    const rows = await db.transaction({ role: 'service_role', settings: [] }, (tx) =>
      tx.query<Row>(sql`
        select id, event, payload::text as payload, encode(binary_payload, 'base64') as bytes
        from realtime.messages
        where topic = ${subTopic} and private and extension = 'broadcast'
          and inserted_at >= to_timestamp(${since}::double precision / 1000) at time zone 'utc'
          and inserted_at < (now() at time zone 'utc') + interval '1 minute'
          and event is not null
        order by inserted_at desc
        limit ${limit}`),
    );
    return ok(
      rows.reverse().map(({ bytes, ...row }) => ({
        ...row,
        bytes: bytes === null ? null : Buffer.from(bytes, 'base64'),
      })),
    );
  } catch (thrown) {
    if (!(thrown instanceof PgFailure)) throw thrown;
    return err('replay-failed');
  }
}
