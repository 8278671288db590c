import { jsonReply } from '../../http/exchange.ts';
import { sql } from '../../pg/sql/sql.ts';
import { endpoint, noInput } from '../endpoint.ts';

/** `GET /status` */
export const status = endpoint({
  input: noInput,
  handle: () => Promise.resolve({ status: 200, headers: {}, body: null }),
});

/** `GET /health` */
export const health = endpoint({
  input: noInput,
  async handle({ serviceDb }) {
    try {
      await serviceDb.query(sql`select id from storage.buckets limit 1`);
      return jsonReply(200, { healthy: true });
    } catch {
      // Not being healthy is the answer, whatever the reason.
      return jsonReply(200, { healthy: false });
    }
  },
});

/** `GET /version`: the server's name, as text. */
export const version = endpoint({
  input: noInput,
  handle: () =>
    Promise.resolve({
      status: 200,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: 'ownbase',
    }),
});
