import { expect, it } from 'vitest';
import { listen } from '../../../src/pg/listen.ts';
import { createTestDatabase } from '../../support/database.ts';

const database = await createTestDatabase();

it('a listener that is stopped while it connects is stopped', async () => {
  const lost: string[] = [];
  const listener = listen({
    url: database.url('authenticator'),
    channel: 'changes',
    applicationName: 'listener under test',
    onNotification: () => {},
    onLive: () => lost.push('live'),
    onLost: ({ message }) => lost.push(message),
  });
  await listener.stop();
  expect([lost, listener.isLive()]).toEqual([[], false]);
});
