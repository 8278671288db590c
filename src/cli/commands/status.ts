import { type Command, Option } from 'commander';
import { encodeValues, type Format, formats } from '../encode.ts';
import { CommandFailure } from '../exit.ts';
import { findInstance } from '../instance-file.ts';
import { addProjectOption, projectDirOf } from '../project-options.ts';
import { overrideNames } from '../status-values.ts';
import { statusTable } from '../ui/status-table.ts';

const examples = `
Ends with code 1 when no backend runs for the project; with --ready also when it cannot reach its database, which is
what a container's health check asks.

Examples:
  $ ownbase status
  $ eval "$(ownbase status -o env)" && echo $API_URL
  $ ownbase status -o json | jq -r .ANON_KEY
  $ ownbase status -o env --override-name api.url=NEXT_PUBLIC_SUPABASE_URL --override-name auth.anon_key=NEXT_PUBLIC_SUPABASE_ANON_KEY`;

/** `ownbase status`: what the Supabase CLI prints, under its names. */
export function configure(command: Command): void {
  addProjectOption(command)
    .addOption(new Option('-o, --output <format>', 'how to print').choices(formats).default('pretty'))
    .option('--json', 'the same as -o json')
    .option('--ready', 'ask the backend whether it is ready, and print that alone')
    .option('--override-name <key=NAME>', 'print a value under another name; repeatable', collect, [])
    .addHelpText('after', examples)
    .action(() => printStatus(projectDirOf(command), command.opts()));
}

const collect = (value: string, previous: readonly string[]): string[] => [...previous, ...value.split(',')];

type Options = {
  readonly output?: Format;
  readonly json?: boolean;
  readonly ready?: boolean;
  readonly overrideName?: readonly string[];
};

/** Time that a backend has to say whether it is ready. */
const READY_TIMEOUT_MS = 5_000;

async function printReadiness(url: string | undefined): Promise<void> {
  const answer = await fetch(url ?? '', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) }).catch(
    () => undefined,
  );
  if (answer === undefined) throw new CommandFailure('The backend does not answer.');
  process.stdout.write(`${await answer.text()}\n`);
  if (!answer.ok) throw new CommandFailure('The backend is not ready.');
}

async function printStatus(projectDir: string, options: Options): Promise<void> {
  const instance = await findInstance(projectDir);
  if (!instance) {
    throw new CommandFailure(`No backend runs for ${projectDir}. Start it with "ownbase start".`);
  }
  if (options.ready === true) return printReadiness(instance.readyUrl);
  const { json, overrideName = [] } = options;
  const output = json === true ? 'json' : (options.output ?? 'pretty');
  if (output === 'pretty') {
    process.stderr.write('ownbase local development setup is running.\n\n');
    process.stdout.write(`${statusTable(instance.values)}\n`);
  } else {
    process.stdout.write(encodeValues(overrideNames(instance.values, overrideName), output));
  }
}
