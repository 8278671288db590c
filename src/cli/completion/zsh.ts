import type { CommandFacts, OptionFacts } from './describe.ts';

/** A script for zsh: one function per command, each by \`_arguments\`, with descriptions. */
export function zshScript(commands: readonly CommandFacts[]): string {
  const functions = commands.map((facts) => commandFunction(facts));
  return `#compdef ownbase\n\n${functions.join('\n\n')}\n\nif [ "$funcstack[1]" = _ownbase ]; then _ownbase "$@"; else compdef _ownbase ownbase; fi\n`;
}

const nameOf = (path: readonly string[]): string => ['_ownbase', ...path].join('_').replaceAll('-', '_');

function commandFunction({ path, options, nested }: CommandFacts): string {
  const specs = options.map(optionSpec);
  if (nested.length === 0)
    return `${nameOf(path)}() {\n  _arguments ${['-s', ...specs].join(' \\\n    ')}\n}`;
  const list = nested.map(({ word, summary }) => `    ${quote(`${word}:${summary}`)}`);
  const calls = nested
    .filter(({ word }) => word !== 'help')
    .map(({ word }) => `        ${word}) ${nameOf([...path, word])} ;;`);
  return `${nameOf(path)}() {
  local state line
  local -a commands=(
${list.join('\n')}
  )
  _arguments -C ${[...specs, "'1: :->command'", "'*:: :->rest'"].join(' \\\n    ')}
  case $state in
    command) _describe command commands ;;
    rest)
      case $line[1] in
${calls.join('\n')}
      esac ;;
  esac
}`;
}

function optionSpec({ names, summary, takesValue, choices, isPath }: OptionFacts): string {
  const text = summary.replaceAll(/[[\]:]/g, '\\$&');
  const values = choices.length > 0 ? `(${choices.join(' ')})` : isPath ? '_files' : ' ';
  const value = takesValue ? `:value:${values}` : '';
  if (names.length === 1) return quote(`${names[0]}[${text}]${value}`);
  return `'(${names.join(' ')})'{${names.join(',')}}${quote(`[${text}]${value}`)}`;
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
