import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Bus } from '../../src/cluster/bus.ts';
import { createMemoryNetwork } from '../../src/cluster/memory.ts';
import { openBus } from '../../src/cluster/open.ts';
import { type Broker, installedBrokers } from '../support/brokers.ts';
import { until } from '../support/until.ts';

let prefix = 0;

/** Opens buses that hear each other. */
type Join = () => Promise<Bus>;

function describeBus(name: string, newNetwork: () => Join): void {
  describe(`a bus of ${name}`, () => {
    const open = async (join: Join): Promise<Bus> => {
      const bus = await join();
      onTestFinished(() => bus.close());
      return bus;
    };
    const listen = (bus: Bus, subject: string): Promise<{ texts: string[]; stop: () => void }> =>
      new Promise((resolve) => {
        const texts: string[] = [];
        const stop = bus.subscribe(
          subject,
          (message) => texts.push(message.toString('utf8')),
          () => queueMicrotask(() => resolve({ texts, stop })),
        );
      });
    /** Two buses, of which the first has been seen to reach the second. */
    const pair = async (): Promise<[Bus, Bus]> => {
      const join = newNetwork();
      const [left, right] = [await open(join), await open(join)];
      const heard = await listen(right, 'warm-up');
      await until(() => {
        left.publish('warm-up', Buffer.from('?'));
        return heard.texts.length > 0;
      });
      heard.stop();
      return [left, right];
    };

    it('carries messages to the listeners of their subject on other instances, in order', async () => {
      const [left, right] = await pair();
      const [one, other] = [await listen(right, 'one'), await listen(right, 'other')];
      const sent = Array.from({ length: 500 }, (_, i) => String(i));
      for (const text of sent) left.publish('one', Buffer.from(text));
      left.publish('other', Buffer.from('x'));
      await until(() => one.texts.length >= 500 && other.texts.length > 0);
      expect(one.texts).toEqual(sent);
      expect(other.texts).toEqual(['x']);
    });

    it('does not bring a message back to its publisher', async () => {
      const [left, right] = await pair();
      const [own, others] = [await listen(left, 'echo'), await listen(right, 'echo')];
      left.publish('echo', Buffer.from('from the left'));
      await until(() => others.texts.length > 0);
      right.publish('echo', Buffer.from('from the right'));
      await until(() => own.texts.length > 0);
      expect(own.texts).toEqual(['from the right']);
    });

    it('has each listener of a subject hear, until it stops', async () => {
      const [left, right] = await pair();
      const [first, second] = [await listen(right, 'shared'), await listen(right, 'shared')];
      left.publish('shared', Buffer.from('a'));
      await until(() => first.texts.length > 0 && second.texts.length > 0);
      first.stop();
      left.publish('shared', Buffer.from('b'));
      await until(() => second.texts.length > 1);
      expect([first.texts, second.texts]).toEqual([['a'], ['a', 'b']]);
      second.stop();
      const third = await listen(right, 'shared');
      left.publish('shared', Buffer.from('c'));
      await until(() => third.texts.length > 0);
      expect([second.texts, third.texts]).toEqual([['a', 'b'], ['c']]);
    });

    it('carries any bytes, none, and several megabytes', async () => {
      const [left, right] = await pair();
      const heard: Buffer[] = [];
      await new Promise<void>((resolve) => {
        const stop = right.subscribe('bytes', (message) => heard.push(Buffer.from(message)), resolve);
        onTestFinished(stop);
      });
      const messages = [
        Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
        Buffer.alloc(0),
        Buffer.alloc(4 * 1024 ** 2, 'ab'),
      ];
      for (const message of messages) left.publish('bytes', message);
      await until(() => heard.length >= 3);
      expect(heard.map((message, i) => message.equals(messages[i] ?? Buffer.alloc(0)))).toEqual([
        ...[true, true, true],
      ]);
    });

    it('keeps quiet after it was closed', async () => {
      const [left, right] = await pair();
      const heard = await listen(right, 'late');
      await right.close();
      left.publish('late', Buffer.from('x'));
      right.publish('late', Buffer.from('y'));
      expect(heard.texts).toEqual([]);
    });
  });
}

describeBus('one process', () => {
  const network = createMemoryNetwork();
  return async () => network.join();
});

for (const kind of installedBrokers()) {
  describe(kind.name, () => {
    let broker: Broker;
    const said: string[] = [];
    const newNetwork = (): Join => {
      const options = { url: broker.url, prefix: `test-${++prefix}` };
      return () =>
        openBus({
          ...options,
          onLost: () => said.push('lost'),
          onHealed: () => said.push('healed'),
        });
    };
    beforeAll(async () => {
      broker = await kind.start();
    });
    afterAll(() => broker?.stop());

    describeBus(kind.name, newNetwork);

    it('keeps projects apart', async () => {
      const [one, other] = [await newNetwork()(), await newNetwork()()];
      onTestFinished(async () => void (await Promise.all([one.close(), other.close()])));
      const heard: string[] = [];
      await new Promise<void>((ready) => other.subscribe('room', () => heard.push('other'), ready));
      const friend = await openBus({
        url: broker.url,
        prefix: `test-${prefix - 1}`,
        onLost() {},
        onHealed() {},
      });
      onTestFinished(() => friend.close());
      await new Promise<void>((ready) => friend.subscribe('room', () => heard.push('friend'), ready));
      await until(() => {
        one.publish('room', Buffer.from('x'));
        return heard.length > 0;
      });
      expect(new Set(heard)).toEqual(new Set(['friend']));
    });

    it('drops what is said while the broker is away, heals, and tells so', async () => {
      const join = newNetwork();
      const [left, right] = [await join(), await join()];
      onTestFinished(async () => void (await Promise.all([left.close(), right.close()])));
      const heard: string[] = [];
      await new Promise<void>((ready) => {
        right.subscribe('room', (message) => heard.push(message.toString('utf8')), ready);
      });
      await until(() => {
        left.publish('room', Buffer.from('before'));
        return heard.length > 0;
      });
      let healedTimes = 0;
      left.onHealed(() => healedTimes++);
      right.onHealed(() => healedTimes++);
      said.length = 0;
      await broker.kill();
      await until(() => said.length === 2);
      left.publish('room', Buffer.from('while away'));
      await broker.restart();
      await until(() => healedTimes === 2);
      expect(said).toEqual(['lost', 'lost', 'healed', 'healed']);
      await until(() => {
        left.publish('room', Buffer.from('after'));
        return heard.includes('after');
      });
      expect(heard).not.toContain('while away');
    });

    it('opens while the broker is away, and works once it is there', async () => {
      await broker.kill();
      const join = newNetwork();
      const [left, right] = [await join(), await join()];
      onTestFinished(async () => void (await Promise.all([left.close(), right.close()])));
      const heard: string[] = [];
      right.subscribe('room', (message) => heard.push(message.toString('utf8')));
      await broker.restart();
      await until(() => {
        left.publish('room', Buffer.from('x'));
        return heard.length > 0;
      });
      expect(heard[0]).toBe('x');
    });
  });
}

describe('the URL of a cluster', () => {
  it('leaves an instance alone where there is none', async () => {
    expect((await openBus({ url: null })).isShared).toBe(false);
  });

  it('must name a broker that is known', async () => {
    const bus = openBus({ url: 'amqp://127.0.0.1', prefix: 'x', onLost() {}, onHealed() {} });
    await expect(bus).rejects.toThrow(
      'OWNBASE_CLUSTER_URL must begin with redis://, rediss://, nats:// or tls://',
    );
  });
});
