import type { Command, Option } from 'commander';

/** An option as a shell completes it. */
export type OptionFacts = {
  /** `--output`, `-o`. */
  readonly names: readonly string[];
  readonly summary: string;
  readonly takesValue: boolean;
  /** The values it takes, where they are known. */
  readonly choices: readonly string[];
  /** Whether its value is a path. */
  readonly isPath: boolean;
};

/** A command, or a word under which commands stand, as a shell completes it. */
export type CommandFacts = {
  /** Words of the command line; empty for the program itself. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly options: readonly OptionFacts[];
  /** What may follow: nested commands by their words. */
  readonly nested: readonly { readonly word: string; readonly summary: string }[];
};

/** Flattens a parser to what completion needs; hidden commands and options are left out. */
export function describeCommands(program: Command): readonly CommandFacts[] {
  return describe(program, []);
}

function describe(command: Command, path: readonly string[]): readonly CommandFacts[] {
  const nested = visible(command);
  const facts: CommandFacts = {
    path,
    summary: command.description(),
    options: [...command.createHelp().visibleOptions(command)].map(optionFacts),
    nested: nested.map((child) => ({ word: child.name(), summary: child.description() })),
  };
  return [
    facts,
    ...nested.flatMap((child) => (child.name() === 'help' ? [] : describe(child, [...path, child.name()]))),
  ];
}

const visible = (command: Command): readonly Command[] => command.createHelp().visibleCommands(command);

const PATHS = /^(dir|file|path)$/;

function optionFacts(option: Option): OptionFacts {
  const placeholder = /[<[]([^>\]]+)/.exec(option.flags)?.[1] ?? '';
  return {
    // Two long names (`--db, --db-url`) stand in the parser as short and long.
    names: [option.long, option.short].filter((name): name is string => typeof name === 'string'),
    summary: option.description.replace(/ \(default: .*\)$/, ''),
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? (placeholder.includes('|') ? placeholder.split('|') : []),
    isPath: PATHS.test(placeholder),
  };
}
