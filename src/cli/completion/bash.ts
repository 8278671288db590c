import type { CommandFacts } from './describe.ts';

/**
 * A script for bash: the words so far, without options and their values, choose the line of words that may follow.
 * It needs nothing of the bash-completion package.
 */
export function bashScript(commands: readonly CommandFacts[]): string {
  const cases = commands.map(({ path, options, nested }) => {
    const words = [...nested.map(({ word }) => word), ...options.flatMap(({ names }) => names)];
    return `    '${path.join(' ')}') words='${words.join(' ')}' ;;`;
  });
  const choices = new Map(
    commands.flatMap(({ options }) =>
      options
        .filter((option) => option.choices.length > 0)
        .map((option) => [option.names.join('|'), option.choices]),
    ),
  );
  const values = [...choices].map(
    ([names, list]) => `    ${names}) COMPREPLY=($(compgen -W '${list.join(' ')}' -- "$current")); return ;;`,
  );
  const all = commands.flatMap(({ options }) => options);
  const paths = namesOf(all.filter(({ isPath }) => isPath));
  const valued = namesOf(all.filter(({ takesValue }) => takesValue));
  const known = commands.filter(({ path }) => path.length > 0).map(({ path }) => `'${path.join(' ')}'`);
  return `# bash completion of ownbase
_ownbase() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' word index
  COMPREPLY=()
  case "$previous" in
${values.join('\n')}
    ${paths.join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${valued.join('|')}) return ;;
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${COMP_WORDS[index-1]}" in ${valued.join('|')}) continue ;; esac
    word="\${COMP_WORDS[index]}"
    case "\${path:+$path }$word" in
      ${known.join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o filenames -F _ownbase ownbase
`;
}

const namesOf = (options: readonly { readonly names: readonly string[] }[]): readonly string[] =>
  [...new Set(options.flatMap(({ names }) => names))].sort();
