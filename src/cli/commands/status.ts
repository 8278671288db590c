import { type Command, Option } from 'commander';
import { encodeValues, type Format, formats, sortedValues } from '../encode.ts';
import { CommandFailure } from '../exit.ts';
import { findInstance } from '../instance-file.ts';
import { addProjectOption, projectDirOf } from '../project-options.ts';
import { overrideNames } from '../status-values.ts';
import { note, printResult, speaksJson } from '../ui/output.ts';
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
    .option('--ready', 'ask the backend whether it is ready, and print that alone')
    .option('--override-name <key=NAME>', 'print a value under another name; repeatable', collect, [])
    .addHelpText('after', examples)
    .action(() => printStatus(projectDirOf(command), command.opts()));
}

const collect = (value: string, previous: readonly string[]): string[] => [...previous, ...value.split(',')];

type Options = {
  readonly output?: Format;
  readonly ready?: boolean;
  readonly overrideName?: readonly string[];
};

/** Time that a backend has to say whether it is ready. */
const READY_TIMEOUT_MS = 5_000;

/** What the admin listener says, as it is where it is JSON. */
function readinessOf(text: string, ready: boolean): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { ready };
  }
}

async function printReadiness(url: string | undefined): Promise<void> {
  const answer = await fetch(url ?? '', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) }).catch(
    () => undefined,
  );
  if (answer === undefined) throw new CommandFailure('The backend does not answer.');
  const text = await answer.text();
  printResult(readinessOf(text, answer.ok), () => `${text}\n`);
  if (!answer.ok) throw new CommandFailure('The backend is not ready.');
}

async function printStatus(projectDir: string, options: Options): Promise<void> {
  const instance = await findInstance(projectDir);
  if (!instance) {
    throw new CommandFailure(`No backend runs for ${projectDir}. Start it with "ownbase start".`);
  }
  if (options.ready === true) return printReadiness(instance.readyUrl);
  const { output = 'pretty', overrideName = [] } = options;
  const values = overrideNames(instance.values, overrideName);
  if (output === 'pretty' && !speaksJson()) note('ownbase local development setup is running.\n');
  printResult(sortedValues(values), () =>
    output === 'pretty' ? `${statusTable(instance.values)}\n` : encodeValues(values, output),
  );
}
