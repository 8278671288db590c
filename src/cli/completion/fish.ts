import type { CommandFacts, OptionFacts } from './describe.ts';

/** A script for fish: one line per command and per option, which holds while the words before it are there. */
export function fishScript(commands: readonly CommandFacts[]): string {
  const lines = commands.flatMap(({ path, options, nested }) => {
    const here = condition(
      path,
      nested.map(({ word }) => word),
    );
    const words = nested.map(
      ({ word, summary }) => `complete -c ownbase -f -n ${quote(here)} -a ${word} -d ${quote(summary)}`,
    );
    return [...words, ...options.map((option) => optionLine(here, option))];
  });
  return `# fish completion of ownbase\ncomplete -c ownbase -f\n${lines.join('\n')}\n`;
}

function condition(path: readonly string[], nested: readonly string[]): string {
  const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
  const open = nested.length === 0 ? [] : [`not __fish_seen_subcommand_from ${nested.join(' ')}`];
  return path.length === 0 ? '__fish_use_subcommand' : [...seen, ...open].join('; and ');
}

function optionLine(here: string, { names, summary, takesValue, choices, isPath }: OptionFacts): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const values =
    choices.length > 0 ? `-x -a ${quote(choices.join(' '))}` : isPath ? '-r -F' : takesValue ? '-x' : '';
  return ['complete -c ownbase', `-n ${quote(here)}`, ...flags, values, `-d ${quote(summary)}`]
    .filter((part) => part !== '')
    .join(' ');
}

const quote = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
