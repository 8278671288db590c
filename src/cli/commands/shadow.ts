import { type Command, InvalidArgumentError } from 'commander';
import type { ShadowReport } from '../../compat/shadow/tally.ts';
import { parseCount } from '../compat-options.ts';
import { addBackendOptions, type TargetOptions, targetOf } from '../compat-target.ts';
import { exitCode } from '../exit.ts';
import { projectDirOf } from '../project-options.ts';
import { note, printStage, warn } from '../ui/output.ts';
import { eraseInterrupt, showProgress } from '../ui/progress-line.ts';

const examples = `
Point the app at the address that is listened on. Every answer comes from --upstream, as it is and as soon as it is there;
sockets pass through. GET and HEAD requests that change nothing are asked again of this backend afterwards, and what
differs is counted by route. Reports show kinds of values, never the values, unless --show-values is given.
Ends with code 1 when something differed.

Examples:
  $ ownbase shadow --upstream https://ref.supabase.co --listen 8000
  $ ownbase shadow --upstream https://ref.supabase.co --listen 8000 --rpc search,stats --sample 0.1 --report shadow.json
  $ ownbase shadow --upstream https://ref.supabase.co --upstream-anon-key K --listen 8000`;

type Options = TargetOptions & {
  readonly upstream: URL;
  readonly listen: number;
  readonly host: string;
  readonly rpc?: string;
  readonly sample: number;
  readonly queue: number;
  readonly report?: string;
  readonly showValues?: boolean;
  readonly upstreamAnonKey?: string;
  readonly upstreamServiceKey?: string;
};

/** `ownbase shadow`: a proxy before the old project that compares this backend in the background. */
export function configure(command: Command): void {
  addBackendOptions(command)
    .requiredOption('--upstream <url>', 'the project that answers', parseUrl)
    .requiredOption('--listen <port>', 'the port to listen on', parsePort)
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--upstream-anon-key <key>', "the old project's anon key; replaced by this backend's")
    .option('--upstream-service-key <key>', "the old project's service_role key; replaced by this backend's")
    .option('--rpc <names>', "database functions that may be called again by POST, or 'all'")
    .option('--sample <share>', 'the share of requests to compare, 0 to 1', parseShare, 1)
    .option('--queue <n>', 'requests that may wait to be compared; more are left out', parseCount, 1000)
    .option('--report <file>', 'write the report there as JSON, every ten seconds and at the end')
    .option('--show-values', 'show the values that differ')
    .addHelpText('after', examples)
    .action(() => shadow(command));
}

async function shadow(command: Command): Promise<void> {
  const options = command.opts<Options>();
  const target = await targetOf(options, projectDirOf(command));
  const { startShadow } = await import('../../compat/shadow/shadow.ts');
  const running = await startShadow({
    upstream: options.upstream,
    ownbase: target.url,
    host: options.host,
    port: options.listen,
    rpc: rpcRule(options.rpc),
    sample: options.sample,
    queueSize: options.queue,
    showing: options.showValues === true ? 'values' : 'kinds',
    keys: new Map([
      ...(options.upstreamAnonKey === undefined ? [] : [[options.upstreamAnonKey, target.anonKey] as const]),
      ...(options.upstreamServiceKey === undefined
        ? []
        : [[options.upstreamServiceKey, target.serviceKey] as const]),
    ]),
  });
  printStage('ready', { url: running.url, upstream: options.upstream.href, compared: target.url }, () =>
    note(`${running.url} answers from ${options.upstream.href} and compares ${target.url}. Ctrl-C ends it.`),
  );
  const timer = setInterval(() => void writeReport(running.report(), options.report), 10_000);
  const drawing = setInterval(() => draw(running.report()), 1000);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  clearInterval(timer);
  clearInterval(drawing);
  eraseInterrupt();
  const report = await running.stop();
  await writeReport(report, options.report);
  await print(report);
  const differs = report.routes.some(({ compared, same, unanswered }) => same < compared || unanswered > 0);
  process.exitCode = differs ? exitCode.failed : exitCode.ok;
}

/** What was seen so far, in the last line of a terminal. */
function draw({ requests, routes }: ShadowReport): void {
  const same = routes.reduce((sum, route) => sum + route.same, 0);
  const compared = routes.reduce((sum, route) => sum + route.compared, 0);
  showProgress({ label: `${requests} requests`, item: `${compared} compared, ${same} the same` });
}

function rpcRule(names: string | undefined): ReadonlySet<string> | 'all' | 'none' {
  if (names === undefined) return 'none';
  return names === 'all' ? 'all' : new Set(names.split(',').map((name) => name.trim()));
}

/** A report that cannot be written is told of; the proxy goes on. */
async function writeReport(report: ShadowReport, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const { writeFile } = await import('node:fs/promises');
  await writeFile(file, `${JSON.stringify(report, null, 2)}\n`).catch((error: Error) => {
    warn(`The report could not be written: ${error.message}`);
  });
}

async function print(report: ShadowReport): Promise<void> {
  const { shadowText } = await import('../../compat/report/shadow-text.ts');
  printStage('report', report, () => process.stdout.write(`${shadowText(report)}\n`));
}

function parseUrl(value: string): URL {
  if (URL.canParse(value) && /^https?:/.test(value)) return new URL(value);
  throw new InvalidArgumentError('An http or https URL.');
}

function parsePort(value: string): number {
  const port = Number(value);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new InvalidArgumentError('A port.');
}

function parseShare(value: string): number {
  const share = Number(value);
  if (share >= 0 && share <= 1) return share;
  throw new InvalidArgumentError('A number from 0 to 1.');
}
