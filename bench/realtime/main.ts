import { benchBroadcast, benchSameFanOut } from './broadcast.ts';
import { benchDecisions, benchFanOut, benchLowRate, benchOwnRows } from './changes.ts';
import { inMs, line } from './figures.ts';
import { benchIdle, benchStalled } from './rest-of-cost.ts';
import { startWorld, type World } from './world.ts';

/*
 * What realtime costs, against yardsticks of the same run: a bare WebSocket server, and a loop that asks the database
 * for each subscriber by itself. Clients live in processes of their own. One part with `--only`.
 */
const parts: Readonly<Record<string, (world: World) => Promise<void>>> = {
  async broadcast(world) {
    const { bare, own, p50, p99 } = await benchBroadcast(world, 3);
    const share = own / bare;
    line(
      'broadcast to 1,000 sockets, deliveries/s',
      `${own.toFixed(0)} of ${bare.toFixed(0)}`,
      '>= 0.9 of bare ws',
      share >= 0.9,
    );
    line('  share', share.toFixed(2), '', share >= 0.9);
    line('  at 10 messages/s, p50 and p99', `${inMs(p50)}, ${inMs(p99)}`, 'p99 < 50 ms', p99 < 50);
  },
  async changes(world) {
    const small = { subscribers: 500, users: 50, perSecond: 100, seconds: 10 };
    const large = { subscribers: 2_000, users: 500, perSecond: 100, seconds: 10 };
    for (const [load, p50Max, p99Max] of [
      [small, 25, 100],
      [large, 60, 200],
    ] as const) {
      const { p50, p99, lost, doubled, leaked } = await benchOwnRows(world, load);
      const name = `${load.subscribers} subscribers of ${load.users} users, 100 inserts/s`;
      line(
        name,
        `${inMs(p50)}, ${inMs(p99)}`,
        `p50 < ${p50Max}, p99 < ${p99Max}`,
        p50 < p50Max && p99 < p99Max,
      );
      line(
        '  lost, doubled, leaked',
        `${lost}, ${doubled}, ${leaked}`,
        'none',
        lost + doubled + leaked === 0,
      );
    }
  },
  async fanout(world) {
    const [subscribers, rows, rounds] = [500, 800, 3];
    const { perSecond, bytes } = await benchFanOut(world, { subscribers, users: 50, rows, rounds });
    const same = await benchSameFanOut(world, { sockets: subscribers, messages: rows, bytes, rounds });
    const share = perSecond / same;
    line(
      'rows that 500 subscribers all see, deliveries/s',
      `${perSecond.toFixed(0)} of ${same.toFixed(0)}`,
      '>= 0.7 of broadcasts',
      share >= 0.7,
    );
    line('  share', share.toFixed(2), '', share >= 0.7);
  },
  async decisions(world) {
    const { own, loop } = await benchDecisions(world, { subscribers: 500, rows: 500 });
    const factor = own / loop;
    line(
      '500 subscribers, 500 users: decisions/s',
      `${own.toFixed(0)} of ${loop.toFixed(0)}`,
      '>= 5 x the loop',
      factor >= 5,
    );
  },
  async lowrate(world) {
    const { p50, p99 } = await benchLowRate(world);
    line(
      'one subscriber, 20 inserts/s: insert to client',
      `${inMs(p50)}, ${inMs(p99)}`,
      'p50 < 10 ms',
      p50 < 10,
    );
  },
  async stalled(world) {
    const bytes = await benchStalled(world);
    line('a client that does not read', `${(bytes / 1e6).toFixed(1)} MB`, '< 8 MB', bytes < 8e6);
  },
  async idle(world) {
    const { rssBytes, cpu, statementsPerSecond } = await benchIdle(world, 10_000);
    line(
      '10,000 idle sockets: resident memory',
      `${(rssBytes / 1e6).toFixed(0)} MB`,
      '< 450 MB',
      rssBytes < 450e6,
    );
    line('  processor', `${(100 * cpu).toFixed(1)} %`, 'near zero', cpu < 0.05);
    line('  statements/s', statementsPerSecond.toFixed(1), 'none', statementsPerSecond < 0.5);
  },
};

/** A part that takes longer hangs; it is given up, and the rest is still measured. */
const partMs = 180_000;

async function run(name: string, part: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | null = null;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it took too long')), partMs);
  });
  try {
    await Promise.race([part, tooLong]);
  } catch (failure) {
    line(name, String(failure), '', false);
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}

/** Runs the parts whose name contains `only`. */
export async function benchRealtime(only: string): Promise<void> {
  const world = await startWorld();
  try {
    for (const [name, part] of Object.entries(parts)) {
      if (name.includes(only)) await run(name, part(world));
    }
  } finally {
    await world.stop();
  }
  // Sockets of a part that was given up do not keep the process.
  process.exit();
}
