import { type Command, Option } from 'commander';
import { encodeValues, type Format, formats, sortedValues } from '../encode.ts';
import { CommandFailure } from '../exit.ts';
import { findInstance } from '../instance-file.ts';
import { addProjectOption, loadProject, projectDirOf } from '../project-options.ts';
import { keyValues, s3KeyValues } from '../status-values.ts';
import { printResult, warn } from '../ui/output.ts';
import { columns } from '../ui/table.ts';

const examples = `
Keys come from the configuration, else from .ownbase/keys.json, else they are the Supabase CLI's well-known
development keys, which are refused on public addresses.

Examples:
  $ ownbase keys
  $ ownbase keys --generate     make this project's own keys in .ownbase/keys.json
  $ ownbase keys -o json | jq -r .SERVICE_ROLE_KEY`;

/** `ownbase keys`: prints the API keys in use, or makes new ones. */
export function configure(command: Command): void {
  addProjectOption(command)
    .option('--generate', 'make new random keys and keep them in .ownbase/keys.json')
    .option('--force', 'replace keys that were made before: tokens signed with them stop working')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(formats).default('pretty'))
    .addHelpText('after', examples)
    .action(() => printKeys(command));
}

type Options = {
  readonly generate?: boolean;
  readonly force?: boolean;
  readonly output: Format;
};

async function printKeys(command: Command): Promise<void> {
  const projectDir = projectDirOf(command);
  const { generate, force, output } = command.opts<Options>();
  if (generate) await makeKeys(projectDir, force === true);
  const { loadInstanceKeys } = await import('../../identity/instance-keys.ts');
  const keys = await loadInstanceKeys(loadProject(command).config.keys, projectDir);
  const values = { ...keyValues(keys), ...s3KeyValues(keys) };
  printResult(sortedValues(values), () =>
    output === 'pretty'
      ? `${columns(['name', 'value'], Object.entries(values))}\n`
      : encodeValues(values, output),
  );
  if (keys.isDemo) warn('These are the public development keys: never expose a backend with them.');
  if (generate && (await findInstance(projectDir))) {
    warn('The running backend uses the keys it was started with: start it again.');
  }
}

async function makeKeys(projectDir: string, force: boolean): Promise<void> {
  const { generateKeys, keysFile } = await import('../../identity/instance-keys.ts');
  const { existsSync } = await import('node:fs');
  if (existsSync(keysFile(projectDir)) && !force) {
    throw new CommandFailure(`${keysFile(projectDir)} is there already; --force replaces its keys.`);
  }
  await generateKeys(projectDir);
}
