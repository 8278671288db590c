import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { SomeOption } from '../config/option.ts';
import { sections } from '../config/sections.ts';
import { CommandFailure } from './exit.ts';

/** Second names of flags, as the Supabase CLI or habit has them. */
const flagAliases: Readonly<Record<string, string>> = { 'db-url': 'db' };

/** What stands for the value in help, where the option's kind says too little. */
const placeholders: Readonly<Record<string, string>> = {
  'db-url': 'url',
  'public-url': 'url',
  'pg-bin': 'dir',
  'storage-path': 'dir',
  'tls-cert': 'file',
  'tls-key': 'file',
  host: 'address',
};

/** The options that have a flag. */
const flagged: readonly SomeOption[] = Object.values(sections)
  .flatMap((section): SomeOption[] => Object.values(section))
  .filter(({ flag }) => flag !== undefined);

/** Adds `--project DIR` and its alias `--workdir`. */
export function addProjectOption(command: Command): Command {
  return command.option(
    '--workdir, --project <dir>',
    'folder that holds supabase/ (default: the current one)',
  );
}

/** Adds the flags of configuration options, all of them or the named ones. */
export function addConfigOptions(command: Command, only?: readonly string[]): Command {
  for (const option of flagged) {
    const { flag = '', kind, default: fallback, description } = option;
    if (only && !only.includes(flag)) continue;
    const alias = flagAliases[flag];
    const names = alias === undefined ? `--${flag}` : `--${alias}, --${flag}`;
    if (kind.name === 'boolean') {
      command.addOption(new Option(names, description).hideHelp(fallback === true));
      command.addOption(new Option(`--no-${flag}`, `Turns off: ${description}`).hideHelp(fallback === false));
    } else {
      const shown = fallback === null ? '' : ` (default: ${kind.print(fallback)})`;
      command.addOption(new Option(`${names} <${placeholders[flag] ?? kind.name}>`, description + shown));
    }
  }
  return command;
}

/** The project's folder, absolute. */
export const projectDirOf = (command: Command): string =>
  resolve(String(command.opts().project ?? process.cwd()));

/**
 * Loads the configuration that a command line asks for. Throws `ConfigError`, and `CommandFailure` for a project that is
 * not there: a misspelt folder must not become a new project.
 */
export function loadProject(command: Command): LoadedConfig {
  const given = command.opts();
  const projectDir = projectDirOf(command);
  if (!existsSync(projectDir)) throw new CommandFailure(`There is no folder ${projectDir}.`);
  const flags = Object.fromEntries(flagged.map(({ flag = '' }) => [flag, given[camelCase(flag)]]));
  return loadConfig({ projectDir, env: process.env, flags });
}

const camelCase = (flag: string): string =>
  flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
