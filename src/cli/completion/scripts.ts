import { bashScript } from './bash.ts';
import type { CommandFacts } from './describe.ts';
import { fishScript } from './fish.ts';
import { zshScript } from './zsh.ts';

/** Writers of completion scripts by the name of the shell. */
export const completionScripts: Readonly<Record<string, (commands: readonly CommandFacts[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};
