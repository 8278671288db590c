import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { identityProviderAnswer, type ProviderUser } from './identity-provider.ts';
import { mailTemplate } from './mail-templates.ts';

/** What a hook or a provider answers. */
export type StageAnswer = {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A request of a server under test to its surroundings. */
export type HookCall = { readonly hook: string; readonly payload: unknown };

/** What surrounds one server: the bodies of its mails, its hooks, and providers that its users come from. */
export type Stage = {
  readonly url: string;
  readonly hookCalls: HookCall[];
  /** Answers by the name of a hook; others answer with nothing to say. */
  readonly hookAnswers: Map<string, (payload: unknown) => StageAnswer>;
  /** The user that providers tell of next. */
  providerUser: ProviderUser;
  close(): Promise<void>;
};

/** Starts a stage on a free port of the loopback address. */
export async function startStage(): Promise<Stage> {
  const hookCalls: HookCall[] = [];
  const hookAnswers = new Map<string, (payload: unknown) => StageAnswer>();
  const server = createServer((request, response) => {
    void answer(stage, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stage: Stage = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hookCalls,
    hookAnswers,
    providerUser: { id: '1', email: 'provided@example.com', isVerified: true, name: 'Provided' },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return stage;
}

async function answer(stage: Stage, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', stage.url);
  const [, kind = '', name = ''] = url.pathname.split('/');
  const text = await bodyOf(request);
  if (kind === 'templates') return send(response, { status: 200, body: mailTemplate(name) });
  if (kind === 'hooks') return send(response, hookAnswer(stage, name, JSON.parse(text)));
  send(response, identityProviderAnswer(stage.url, kind, url.pathname, stage.providerUser));
}

function hookAnswer(stage: Stage, hook: string, payload: unknown): StageAnswer {
  stage.hookCalls.push({ hook, payload });
  const scripted = stage.hookAnswers.get(hook);
  if (scripted !== undefined) return scripted(payload);
  const claims = (payload as { claims?: unknown }).claims;
  return { status: 200, body: claims === undefined ? {} : { claims } };
}

function send(response: ServerResponse, { status, body, headers }: StageAnswer): void {
  const isText = typeof body === 'string';
  const type = isText ? 'text/html' : 'application/json';
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(body === undefined ? '' : isText ? body : JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
