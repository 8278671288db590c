import { describe, expect, it } from 'vitest';
import type { Change, RelationInfo } from '../../../src/realtime/changes/model.ts';
import { untilVisible } from '../../../src/realtime/changes/snapshot.ts';
import { Consumer, type Mark } from '../../../src/realtime/feed/consumer.ts';
import type { StreamMessage } from '../../../src/realtime/feed/pgoutput.ts';
import type { Relations } from '../../../src/realtime/feed/relations.ts';

const relation: RelationInfo = {
  oid: 1,
  schema: 'public',
  name: 't',
  columns: [],
  columnByName: new Map(),
  primaryKey: [],
  hasRowSecurity: false,
  isPublished: true,
  isMessages: false,
};
const relations: Relations = {
  get: async () => relation,
  access: async () => ({ columns: new Set(), bypassesRowSecurity: false, policy: 'false' }),
  invalidate: () => {},
  clear: () => {},
};
const announced: StreamMessage = {
  kind: 'relation',
  relation: { oid: 1, schema: 'public', name: 't', columns: ['id'], identity: new Set(['id']) },
};
const begin = (lsn: bigint): StreamMessage => ({ kind: 'begin', finalLsn: lsn, committedAt: 0n, xid: 1 });
const insert = (id: string): StreamMessage => ({ kind: 'insert', oid: 1, row: [id], bytes: 10 });
const commit = (endLsn: bigint): StreamMessage => ({ kind: 'commit', endLsn });

/** A consumer with a sink that the test holds back and lets go. */
function setUp(delivered: Mark = { lsn: 0n, index: -1 }, maxRows = 2) {
  const batches: string[][] = [];
  const held: { resolve: (taken: number) => void; reject: (failure: unknown) => void }[] = [];
  const failures: unknown[] = [];
  const sink = (changes: readonly Change[]): Promise<number> => {
    batches.push(changes.map(({ row }) => row?.get('id') ?? ''));
    return new Promise((resolve, reject) => held.push({ resolve, reject }));
  };
  const consumer = new Consumer(
    {
      relations,
      sink,
      limits: { maxRows, maxBytes: 1_000_000 },
      onProgress: () => {},
      onFailure: (failure) => failures.push(failure),
    },
    delivered,
  );
  const settle = async (taken = batches.at(-1)?.length ?? 0): Promise<void> => {
    held.shift()?.resolve(taken);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { consumer, batches, held, failures, settle };
}

async function handleAll(consumer: Consumer, messages: readonly StreamMessage[]): Promise<void> {
  for (const message of messages) await consumer.handle(message);
}

describe('the consumer', () => {
  it('has processed a transaction only when the sink has taken it', async () => {
    const { consumer, batches, settle } = setUp();
    await handleAll(consumer, [begin(10n), announced, insert('a'), commit(20n)]);
    expect(batches).toEqual([['a']]);
    expect(consumer.processed).toBe(0n);
    await settle();
    expect(consumer.processed).toBe(20n);
    expect(consumer.delivered).toEqual({ lsn: 10n, index: 0 });
  });

  it('hands on together what gathered while the sink was busy', async () => {
    const { consumer, batches, settle } = setUp(undefined, 100);
    await handleAll(consumer, [begin(10n), announced, insert('a'), commit(20n)]);
    await handleAll(consumer, [begin(30n), insert('b'), commit(40n), begin(50n), insert('c'), commit(60n)]);
    await settle();
    await settle();
    expect(batches).toEqual([['a'], ['b', 'c']]);
    expect(consumer.processed).toBe(60n);
  });

  it('hands on again what the sink has left', async () => {
    const { consumer, batches, settle } = setUp(undefined, 100);
    await handleAll(consumer, [begin(10n), announced, insert('a'), insert('b'), insert('c'), commit(20n)]);
    await settle(1);
    expect(consumer.delivered).toEqual({ lsn: 10n, index: 0 });
    expect(consumer.processed).toBe(0n);
    await settle();
    expect(batches).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c'],
    ]);
    expect(consumer.processed).toBe(20n);
  });

  it('holds the stream back when a batch is full, in the midst of a transaction', async () => {
    const { consumer, batches, settle } = setUp();
    const reading = handleAll(consumer, [
      begin(10n),
      announced,
      insert('a'),
      insert('b'),
      insert('c'),
      commit(20n),
    ]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(batches).toEqual([['a', 'b']]);
    expect(consumer.processed).toBe(0n);
    await settle();
    await reading;
    await settle();
    expect(batches).toEqual([['a', 'b'], ['c']]);
    expect(consumer.processed).toBe(20n);
  });

  it('skips what went out before the stream was started again', async () => {
    const { consumer, batches, settle } = setUp({ lsn: 30n, index: 0 });
    await handleAll(consumer, [begin(10n), announced, insert('a'), commit(20n)]);
    await handleAll(consumer, [begin(30n), insert('b'), insert('c'), commit(40n)]);
    await settle();
    expect(batches).toEqual([['c']]);
    expect(consumer.processed).toBe(40n);
  });

  it('takes nothing more once the sink has failed, and has not processed what it failed with', async () => {
    const { consumer, held, failures } = setUp();
    await handleAll(consumer, [begin(10n), announced, insert('a'), commit(20n)]);
    held[0]?.reject(new Error('down'));
    await consumer.settle();
    expect(failures).toEqual([new Error('down')]);
    expect(consumer.processed).toBe(0n);
    await expect(consumer.handle(begin(30n))).rejects.toThrow('down');
  });

  it('follows the position of an idle server, but not past a transaction that it works on', async () => {
    const { consumer, settle } = setUp();
    consumer.idle(5n);
    expect(consumer.processed).toBe(5n);
    await handleAll(consumer, [begin(10n), announced]);
    consumer.idle(15n);
    expect(consumer.processed).toBe(5n);
    await handleAll(consumer, [insert('a'), commit(20n)]);
    consumer.idle(25n);
    expect(consumer.processed).toBe(5n);
    await settle();
    consumer.idle(25n);
    expect(consumer.processed).toBe(25n);
  });
});

describe('a transaction that was read before it shows to others', () => {
  it('is waited for', async () => {
    const snapshots = ['10:12:10,11', '10:12:10', '12:12:'];
    let reads = 0;
    await untilVisible(new Set([10, 11]), async () => snapshots[reads++] ?? '12:12:');
    expect(reads).toBe(3);
  });
});
