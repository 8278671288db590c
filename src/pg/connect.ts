import pg from 'pg';
import { toPgFailure } from './failure.ts';
import { compile, isSql, type Sql, type Statement } from './sql/sql.ts';
import { textualTypes } from './types.ts';

/** One connection of its own, for bootstrap, migrations, LISTEN and checks; never for a client's request. */
export interface AdminClient {
  /** Runs one statement and yields its rows. */
  query<Row = Record<string, unknown>>(statement: Sql | Statement): Promise<Row[]>;
  /** Runs a script of several statements by the simple protocol: one implicit transaction unless it says otherwise. */
  exec(script: string): Promise<void>;
  /** Calls back for each NOTICE or WARNING. */
  onNotice(listener: (notice: { severity: string; message: string }) => void): void;
  end(): Promise<void>;
}

/** Options of a connection. */
export type ConnectOptions = {
  readonly applicationName?: string;
  readonly timeoutMs?: number;
  /** Called when the connection has ended, whoever ended it. */
  readonly onEnd?: () => void;
  /** Called for what other sessions send to a channel that this one listens on. */
  readonly onNotification?: (notification: { readonly channel: string; readonly payload: string }) => void;
};

/** Opens a connection; rejects with `PgFailure`. */
export async function connect(url: string, options: ConnectOptions = {}): Promise<AdminClient> {
  const client = new pg.Client({
    connectionString: url,
    application_name: options.applicationName ?? 'ownbase',
    connectionTimeoutMillis: options.timeoutMs ?? 10_000,
    types: textualTypes,
    keepAlive: true,
  });
  // A connection that dies between statements reports here; the next statement rejects, which is the report we want.
  client.on('error', () => {});
  const { onEnd, onNotification } = options;
  if (onEnd !== undefined) client.on('end', onEnd);
  if (onNotification !== undefined) {
    client.on('notification', ({ channel, payload }) => onNotification({ channel, payload: payload ?? '' }));
  }
  try {
    await client.connect();
  } catch (thrown) {
    throw toPgFailure(thrown);
  }
  return {
    async query<Row>(statement: Sql | Statement): Promise<Row[]> {
      const { text, values } = isSql(statement) ? compile(statement) : statement;
      try {
        const result = await client.query(text, values);
        return result.rows as Row[];
      } catch (thrown) {
        throw toPgFailure(thrown);
      }
    },
    async exec(script) {
      try {
        await client.query(script);
      } catch (thrown) {
        throw toPgFailure(thrown);
      }
    },
    onNotice(listener) {
      client.on('notice', (notice) =>
        listener({ severity: notice.severity ?? 'NOTICE', message: notice.message ?? '' }),
      );
    },
    end: () => client.end(),
  };
}
