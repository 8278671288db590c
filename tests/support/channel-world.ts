import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { createTestDatabase } from './database.ts';
import { PhoenixClient, type Received } from './phoenix.ts';
import { type RealtimeHarness, type RealtimeHarnessOptions, startRealtime, testToken } from './realtime.ts';

/** Version of the wire protocol. */
export type Version = '1.0.0' | '2.0.0';

/** Channels on a database of their own, without changes of the database. */
export type ChannelWorld = {
  readonly realtime: RealtimeHarness;
  /** Opens a socket that is closed after the test. */
  readonly open: (version?: Version, key?: string, url?: string) => Promise<PhoenixClient>;
  /** Starts another instance, for one test. */
  readonly startWith: (config?: RealtimeHarnessOptions['config']) => Promise<RealtimeHarness>;
};

/** Makes the channels before the tests of the calling file, and ends them after those. */
export function useChannels(fixture = ''): ChannelWorld {
  let database: Pick<RealtimeHarnessOptions, 'ownerUrl' | 'authenticatorUrl'> | null = null;
  let realtime: RealtimeHarness | null = null;
  const start = (config: RealtimeHarnessOptions['config'] = {}): Promise<RealtimeHarness> => {
    if (database === null) throw new Error('the database is there when the tests run');
    return startRealtime({ ...database, withFeed: false, config });
  };
  const running = (): RealtimeHarness => {
    if (realtime === null) throw new Error('the channels are there when the tests run');
    return realtime;
  };
  beforeAll(async () => {
    const test = await createTestDatabase(fixture);
    database = { ownerUrl: test.url('supabase_admin'), authenticatorUrl: test.url('authenticator') };
    realtime = await start();
  });
  afterAll(() => realtime?.stop());
  return {
    get realtime() {
      return running();
    },
    async open(version = '2.0.0', key = running().anonToken, url = running().url) {
      const client = await PhoenixClient.connect(url, key, version);
      onTestFinished(() => client.close());
      return client;
    },
    async startWith(config) {
      const other = await start(config);
      onTestFinished(() => other.stop());
      return other;
    },
  };
}

/** A token of somebody who is signed in. */
export const userToken = (claims: Record<string, unknown> = {}): Promise<string> =>
  testToken({ role: 'authenticated', sub: 'u', ...claims });

/** Whether a message is a broadcast. */
export const isBroadcast = ({ event }: Received): boolean => event === 'broadcast';

/** Why a join was refused. */
export const reasonOf = ({ payload }: Received): unknown => (payload.response as { reason?: unknown }).reason;
