import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';

/** A page of a browser that somebody sits at. */
export type Page = {
  /** Goes to a URL, by a click as it were, and waits until the page that it ends at is there. */
  readonly open: (url: string) => Promise<void>;
  /** Where the page is now. */
  readonly url: () => Promise<string>;
  /** The value of an expression in the page; promises are waited for. */
  readonly run: <T>(expression: string) => Promise<T>;
};

/** A browser without a screen. */
export type Browser = {
  /** A page in a window of its own, with cookies and storage of its own. */
  readonly newWindow: () => Promise<Page>;
  readonly close: () => Promise<void>;
};

const names = [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'];

/** The browser that is installed here; undefined where there is none. */
export const installedBrowser = names.find(
  (name) => name !== undefined && spawnSync(name, ['--version']).status === 0,
);

type Reply = { readonly id?: number; readonly result?: Record<string, unknown>; readonly error?: unknown };

/** Starts a browser, which is told what to do by the DevTools protocol. */
export async function startBrowser(program: string): Promise<Browser> {
  const profile = await mkdtemp(join(tmpdir(), 'ownbase-browser-'));
  const child = spawn(
    program,
    ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--remote-debugging-port=0'].concat(
      `--user-data-dir=${profile}`,
      'about:blank',
    ),
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const socket = new WebSocket(await addressOf(child.stderr));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const waiting = new Map<number, (reply: Reply) => void>();
  socket.on('message', (data) => {
    const reply = JSON.parse(String(data)) as Reply;
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
  });
  let calls = 0;
  const call = (method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      const id = ++calls;
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id);
        if (result === undefined) reject(new Error(`${method}: ${JSON.stringify(error)}`));
        else resolve(result);
      });
      socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    });
  return {
    async newWindow() {
      const { browserContextId } = await call('Target.createBrowserContext');
      const { targetId } = await call('Target.createTarget', { url: 'about:blank', browserContextId });
      const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true });
      return pageOf((method, params) => call(method, params, String(sessionId)));
    },
    async close() {
      socket.close();
      child.kill();
      await ended;
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** The browser says once where it listens. */
function addressOf(output: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    output.on('data', (chunk) => {
      text += String(chunk);
      const address = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (address !== undefined) resolve(address);
    });
    output.once('end', () => reject(new Error(`the browser did not start: ${text}`)));
  });
}

type Evaluated = {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
};

function pageOf(call: (method: string, params: object) => Promise<Record<string, unknown>>): Page {
  const run = async <T>(expression: string): Promise<T> => {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = (await call('Runtime.evaluate', params)) as unknown as Evaluated;
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? 'failed');
    return result.value as T;
  };
  return {
    async open(url) {
      await call('Page.navigate', { url });
      const isLoaded = 'document.readyState === "complete" && location.href !== "about:blank"';
      // Between two pages there is nobody to ask.
      while (!(await run<boolean>(isLoaded).catch(() => false))) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    url: () => run<string>('location.href'),
    run,
  };
}
