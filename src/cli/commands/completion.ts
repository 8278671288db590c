import type { Command } from 'commander';
import { CommandFailure } from '../exit.ts';
import { printResult } from '../ui/output.ts';

const examples = `
Examples:
  $ ownbase completion bash > /etc/bash_completion.d/ownbase
  $ source <(ownbase completion bash)                        in this shell alone
  $ ownbase completion zsh > "\${fpath[1]}/_ownbase"
  $ ownbase completion fish > ~/.config/fish/completions/ownbase.fish`;

/**
 * `ownbase completion SHELL`: prints a script that completes commands, options and their values. The program has
 * loaded every command then.
 */
export function configure(command: Command): void {
  command
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText('after', examples)
    .action((shell: string) => printCompletion(command.parent ?? command, shell));
}

async function printCompletion(program: Command, shell: string): Promise<void> {
  const { completionScripts } = await import('../completion/scripts.ts');
  const { describeCommands } = await import('../completion/describe.ts');
  const script = completionScripts[shell];
  if (script === undefined) {
    throw new CommandFailure(
      `There is a script for ${Object.keys(completionScripts).join(', ')}, not for ${shell}.`,
    );
  }
  const commands = describeCommands(program);
  const text = script(commands);
  printResult({ shell, script: text, commands }, () => text);
}
