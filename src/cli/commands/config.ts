import type { Command } from 'commander';
import type { LoadedConfig } from '../../config/load.ts';
import type { SomeOption } from '../../config/option.ts';
import { sections } from '../../config/sections.ts';
import { addConfigOptions, addProjectOption, loadProject } from '../project-options.ts';
import { printResult, warn } from '../ui/output.ts';
import { columns } from '../ui/table.ts';

const examples = `
A value comes from a flag, else the environment, else supabase/config.toml, else it is the default. Secrets are not shown.

Examples:
  $ ownbase config --print
  $ ownbase config --print --port 8000 | grep gateway`;

/** `ownbase config`: prints each setting, its value and where that comes from. */
export function configure(command: Command): void {
  addConfigOptions(addProjectOption(command))
    .option('--print', 'print every setting (the default)')
    .addHelpText('after', examples)
    .action(() => printConfig(loadProject(command)));
}

function printConfig(loaded: LoadedConfig): void {
  const settings = Object.entries(sections).flatMap(([section, options]) =>
    Object.entries<SomeOption>(options).map(([key, option]) => {
      const name = `${section}.${key}`;
      const from = loaded.provenance.get(name);
      const values: Readonly<Record<string, unknown>> = loaded.config[section as keyof typeof sections];
      const origin = [from?.source ?? 'default', from?.name].filter(Boolean).join(' ');
      return { name, value: option.kind.print(values[key]), origin };
    }),
  );
  for (const warning of loaded.warnings) warn(warning);
  const rows = settings.map(({ name, value, origin }) => [name, value, origin]);
  printResult(settings, () => `${columns(['setting', 'value', 'from'], rows)}\n`);
}
