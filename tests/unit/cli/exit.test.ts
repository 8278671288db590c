import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CommandFailure, describeError } from '../../../src/cli/exit.ts';

const listen = (port: number): Promise<number> => {
  const server = createServer();
  onTestFinished(() => void server.close());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
};

describe('what is printed about an error that ended a command', () => {
  it('names a port that another process took, without a stack', async () => {
    const port = await listen(0);
    const failure = await listen(port).catch((error: unknown) => error);
    expect(describeError(failure)).toBe(
      `127.0.0.1:${port} is taken by another process: stop it, or choose another port.`,
    );
  });

  it('is one line about what the system refused', async () => {
    const refused = await mkdir('/nowhere/at/all').catch((error: unknown) => error);
    expect(describeError(refused)).toMatch(/^ENOENT: no such file or directory, mkdir '.*'$/);
  });

  it('is the message alone of an error made for people, and the stack of any other', () => {
    expect(describeError(new CommandFailure('no such project'))).toBe('no such project');
    expect(describeError(new TypeError('broken'))).toMatch(/^TypeError: broken\n\s+at /);
  });
});
