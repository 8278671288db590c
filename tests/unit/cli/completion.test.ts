import { execFileSync } from 'node:child_process';
import { Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { describeCommands } from '../../../src/cli/completion/describe.ts';
import { completionScripts } from '../../../src/cli/completion/scripts.ts';

function program(): Command {
  const root = new Command('ownbase').helpCommand('help [command...]', 'explain a command');
  root.command('stop').description("end a project's backend").option('--project <dir>', 'its folder');
  const db = root.command('db').description('work with the database');
  db.command('reset').description('begin anew').option('--no-seed', 'without seed data');
  db.command('dump')
    .description('write SQL')
    .addOption(new Option('-o, --output <format>', 'how: [a|b]').choices(['sql', 'json']));
  root.command('login', { hidden: true });
  return root;
}

const scriptOf = (shell: string): string => completionScripts[shell]?.(describeCommands(program())) ?? '';

/** What bash offers for the last of some words. */
function offers(...words: readonly string[]): string[] {
  const list = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _ownbase; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const printed = execFileSync('bash', ['-c', `${scriptOf('bash')}\n${ask}`], { encoding: 'utf8' });
  return printed.split('\n').filter((word) => word !== '');
}

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('writes a script for %s', (shell) => {
    expect(scriptOf(shell)).toMatchSnapshot();
  });

  it.each([
    [
      ['ownbase', ''],
      ['stop', 'db', 'help', '--help', '-h'],
    ],
    [['ownbase', 's'], ['stop']],
    [
      ['ownbase', 'db', ''],
      ['reset', 'dump', 'help', '--help', '-h'],
    ],
    [['ownbase', 'db', 'reset', '--n'], ['--no-seed']],
    [
      ['ownbase', 'db', 'dump', '-o', ''],
      ['sql', 'json'],
    ],
    [['ownbase', '--project', 'db', 's'], ['stop']],
  ])('in bash %j offers %j', (words, expected) => {
    expect(offers(...words)).toEqual(expected);
  });
});
